"""Plans on their way to the sealed interpreter, which takes its own word for what they are.

Both ends are the same code at the same moment, and the way is a socket pair: names of classes and values of members are
enough, in the interpreter's own encoding. To check types again would take a millisecond.
"""

from __future__ import annotations

from windlass.spec import plan as ops
from windlass.spec.light import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# No member has this name.
_CLASS = ""


def pack(value: Any) -> Any:
    """Return a plan as basic types."""
    if isinstance(value, Struct):
        return {_CLASS: type(value).__name__, **{name: pack(member) for name, member in value.__dict__.items()}}
    if isinstance(value, list | tuple):
        return [pack(item) for item in value]
    return value


def unpack(value: Any) -> Any:
    """Return what was packed; a tuple comes back as a list."""
    kind = type(value)
    if kind is list:
        return [unpack(item) for item in value]
    if kind is dict:
        made: Any = object.__new__(getattr(ops, value.pop(_CLASS)))
        for name, member in value.items():
            made.__dict__[name] = unpack(member) if type(member) in (list, dict) else member
        return made
    return value
