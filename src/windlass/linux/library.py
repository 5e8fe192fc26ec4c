"""Shared libraries of the host, by the dynamic linker."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
else:
    from windlass.linux import native as ctypes


def require_library(soname: str) -> str:
    """Load the library and return its name.

    Raises:
        OSError: the dynamic linker cannot find or load it; the text is the linker's.

    Source: dlopen(3).
    """
    return str(ctypes.CDLL(soname)._name)
