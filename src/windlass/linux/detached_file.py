"""One file behind a read-only mount of its own, attached nowhere.

It is what a command that lives for milliseconds does first, so it takes from `_ctypes` what `ctypes` would wrap, whose
import takes two of them.

Source: open_tree(2), mount_setattr(2) (Linux 5.12).
"""

from __future__ import annotations

import _ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SYS_OPEN_TREE = 428
_SYS_MOUNT_SETATTR = 442
_AT_FDCWD = -100
_AT_EMPTY_PATH = 0x1000
_OPEN_TREE_CLONE = 1
_MOUNT_ATTR_RDONLY = 1
_MOUNT_ATTR_BYTES = 32


def read_only_file(path: str) -> int:
    """Return a descriptor of the file at `path` through a new read-only mount, which lasts as long as it is in use.

    Raises:
        OSError: the kernel does not know how, or this process may not.
    """
    call = _syscall()
    fd = _checked(call(_SYS_OPEN_TREE, _AT_FDCWD, os.fsencode(path), _OPEN_TREE_CLONE | os.O_CLOEXEC), "open_tree")
    # struct mount_attr: attr_set, and nothing else.
    attributes = _MOUNT_ATTR_RDONLY.to_bytes(8, "little").ljust(_MOUNT_ATTR_BYTES, b"\0")
    try:
        _checked(call(_SYS_MOUNT_SETATTR, fd, b"", _AT_EMPTY_PATH, attributes, len(attributes)), "mount_setattr")
    except OSError:
        os.close(fd)
        raise
    return fd


def _syscall() -> Any:
    """Return syscall(2) as a function of Python values; bytes are passed by address, numbers as ints."""
    long = type("long", (_ctypes._SimpleCData,), {"_type_": "l"})
    flags = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
    prototype = type("function", (_ctypes.CFuncPtr,), {"_flags_": flags, "_restype_": long})
    opened: Any = _ctypes.dlopen
    # None is the program itself with its libraries, of which typeshed does not know.
    program = opened(None, 0)
    return prototype(_ctypes.dlsym(program, "syscall"))


def _checked(result: int, what: str) -> int:
    if result == -1:
        number = _ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
