"""What this room uses of `ctypes`, from the C module below it: the package takes two milliseconds to import.

The names are those of `ctypes`, in whose place modules import this one; a type checker sees the original.

Source: CPython, Lib/ctypes/__init__.py.
"""

from __future__ import annotations

import _ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


Structure = _ctypes.Structure
POINTER = _ctypes.POINTER
addressof = _ctypes.addressof
byref = _ctypes.byref
get_errno = _ctypes.get_errno
sizeof = _ctypes.sizeof


def _simple(name: str, code: str) -> Any:
    """Make the class of a simple C type by its code in `struct`."""
    return type(name, (_ctypes._SimpleCData,), {"_type_": code})


c_char = _simple("c_char", "c")
c_char_p = _simple("c_char_p", "z")
c_void_p = _simple("c_void_p", "P")
c_short = _simple("c_short", "h")
c_ushort = _simple("c_ushort", "H")
c_int = _simple("c_int", "i")
c_uint = _simple("c_uint", "I")
c_long = _simple("c_long", "l")
c_ulong = _simple("c_ulong", "L")
c_uint8 = _simple("c_ubyte", "B")
c_uint16 = c_ushort
c_int32 = c_int
c_uint32 = c_uint
c_uint64 = _simple("c_ulonglong", "Q")
c_size_t = c_ulong


class CDLL:
    """A shared library; None is the program with what it is linked to."""

    def __init__(self, name: str | None, *, use_errno: bool = False) -> None:
        self._name = name
        opened: Any = _ctypes.dlopen
        self._handle = opened(name, 0)
        flags = _ctypes.FUNCFLAG_CDECL | (_ctypes.FUNCFLAG_USE_ERRNO if use_errno else 0)
        self._function = type("_Function", (_ctypes.CFuncPtr,), {"_flags_": flags, "_restype_": c_int})

    def __getattr__(self, name: str) -> Any:
        """Return a function that is the same object every time."""
        if name.startswith("__"):
            raise AttributeError(name)
        function = self[name]
        setattr(self, name, function)
        return function

    def __getitem__(self, name: str) -> Any:
        """Return a function object of the caller's own."""
        try:
            address = _ctypes.dlsym(self._handle, name)
        except OSError as error:
            raise AttributeError(str(error)) from None
        return self._function(address)


def create_string_buffer(init: int | bytes, size: int | None = None) -> Any:
    """Return an array of characters: of a size, or with bytes in it and a zero at the end unless the size forbids."""
    if isinstance(init, int):
        return (c_char * init)()
    buffer = (c_char * (len(init) + 1 if size is None else size))()
    buffer.value = init
    return buffer


def memmove(target: Any, source: Any, count: int) -> None:
    """Copy bytes of memory. Source: memmove(3)."""
    move = CDLL(None)["memmove"]
    move.argtypes = (c_void_p, c_void_p, c_size_t)
    move.restype = c_void_p
    move(target, source, count)


def string_at(address: int, size: int) -> bytes:
    """Return the bytes that are in memory."""
    buffer = (c_char * size)()
    memmove(buffer, address, size)
    raw: bytes = buffer.raw
    return raw
