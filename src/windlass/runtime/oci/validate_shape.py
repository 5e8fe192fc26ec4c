"""The shape of a bundle's documents: which members are what, from where to where, and one of which words.

`config.json` is looked at as it was decoded, before it becomes typed values: a mistake has its place there. Members
that are not listed are ignored, as the specification wants; a null member counts as absent, as for other runtimes.

A kind is a check and what it needs to know; the tables below are nothing but kinds.

Source: runtime-spec schema/config-schema.json, config-linux.json, defs.json, defs-linux.json.
"""

from __future__ import annotations

from windlass.runtime.oci.validate_fault import Fault, escaped, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Kind = tuple[Callable[[Any, Any, str], None], Any]

_NAMES = {dict: "object", list: "array", str: "string", int: "integer", bool: "boolean", float: "number"}


def check_shape(value: object, kind: Kind, at: str) -> None:
    """Compare a decoded document with its kind.

    Raises:
        Fault: at the first difference.
    """
    check, argument = kind
    check(value, argument, at)


def _mismatch(value: object, wanted: str, at: str) -> Fault:
    return Fault(at, f"expected {wanted}, got {_NAMES.get(type(value), 'null')}")


def _text(value: Any, longest: int, at: str) -> None:
    if type(value) is not str:
        raise _mismatch(value, "string", at)
    if not value.isascii() or "\0" in value or len(value) > longest:
        _odd_text(value, longest, at)


def _odd_text(value: str, longest: int, at: str) -> None:
    """Refuse what no path, argument or kernel file can hold."""
    if "\0" in value:
        raise Fault(at, "contains a NUL")
    if len(value) > longest:
        raise Fault(at, f"is longer than {longest} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Fault(at, "is not Unicode text") from None


def _boolean(value: Any, _argument: None, at: str) -> None:
    if type(value) is not bool:
        raise _mismatch(value, "boolean", at)


def _integer(value: Any, bounds: tuple[int, int], at: str) -> None:
    if type(value) is not int:
        raise _mismatch(value, "integer", at)
    low, high = bounds
    if not low <= value <= high:
        raise Fault(at, f"{value if abs(value) >> 70 == 0 else 'the number'} is not between {low} and {high}")


def _one_of(value: Any, argument: tuple[str, frozenset[str]], at: str) -> None:
    if type(value) is not str:
        raise _mismatch(value, "string", at)
    noun, words = argument
    if value not in words:
        raise Fault(at, f"unknown {noun} {shown(value)}")


def _array(value: Any, kind: Kind, at: str) -> None:
    if type(value) is not list:
        raise _mismatch(value, "array", at)
    check, argument = kind
    for index, item in enumerate(value):
        check(item, argument, f"{at}/{index}")


def _map(value: Any, kind: Kind, at: str) -> None:
    if type(value) is not dict:
        raise _mismatch(value, "object", at)
    check, argument = kind
    for key, item in value.items():
        place = f"{at}/{escaped(key)}"
        _text(key, _LONG, place if key.isascii() else at)
        check(item, argument, place)


def _object(value: Any, argument: tuple[dict[str, Kind], tuple[str, ...]], at: str) -> None:
    if type(value) is not dict:
        raise _mismatch(value, "object", at)
    members, required = argument
    for name in required:
        if value.get(name) is None:
            raise Fault(f"{at}/{name}", "is required")
    for name, item in value.items():
        kind = members.get(name)
        if kind is not None and item is not None:
            kind[0](item, kind[1], f"{at}/{name}")


def words(noun: str, *choices: str) -> Kind:
    """Return the kind of a string that is one of `choices`, called `noun` when it is not."""
    return _one_of, (noun, frozenset(choices))


def members(required: str = "", **kinds: Kind) -> Kind:
    """Return the kind of an object with these members; those of `required` must be there."""
    return _object, (kinds, tuple(required.split()))


_LONG = 16 << 20
TEXT: Kind = (_text, _LONG)
PATH: Kind = (_text, 4095)
BOOLEAN: Kind = (_boolean, None)
INT32: Kind = (_integer, (-(1 << 31), (1 << 31) - 1))
UINT16: Kind = (_integer, (0, (1 << 16) - 1))
UINT32: Kind = (_integer, (0, (1 << 32) - 1))
INT64: Kind = (_integer, (-(1 << 63), (1 << 63) - 1))
UINT64: Kind = (_integer, (0, (1 << 64) - 1))
TEXTS: Kind = (_array, TEXT)
PATHS: Kind = (_array, PATH)
TABLE: Kind = (_map, TEXT)


def array(kind: Kind) -> Kind:
    """Return the kind of an array of `kind`."""
    return _array, kind


def table(kind: Kind) -> Kind:
    """Return the kind of an object with any members, all of `kind`."""
    return _map, kind
