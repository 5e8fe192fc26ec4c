"""JSON as Go's decoder takes it: keys match in any case, and `null` leaves the zero value.

Unknown members are dropped later, by the typed decoding.
"""

from __future__ import annotations

import types
from functools import cache
from typing import Any, Union, get_args, get_origin

import msgspec


def conform(value: Any, kind: Any) -> Any:
    """Return `value` with the keys of `kind`'s structs as they are spelled there, and without nulls it cannot hold."""
    if isinstance(value, dict):
        struct = _struct_of(kind)
        if struct is not None:
            return _conform_struct(value, struct)
        member = _argument(kind, dict, 1)
        return {key: conform(item, member) for key, item in value.items() if item is not None or _holds_none(member)}
    if isinstance(value, list):
        member = _argument(kind, list, 0)
        return [conform(item, member) for item in value]
    return value


def _conform_struct(value: dict[str, Any], struct: type[msgspec.Struct]) -> dict[str, Any]:
    fields = _fields(struct)
    found: dict[str, Any] = {}
    for key, item in value.items():
        if item is None:
            continue
        field = fields.get(key) or fields.get(key.lower())
        if field is None:
            found.setdefault(key, item)
        else:
            found[field[0]] = conform(item, field[1])
    return found


@cache
def _fields(struct: type[msgspec.Struct]) -> dict[str, tuple[str, Any]]:
    fields = {}
    for field in msgspec.structs.fields(struct):
        fields[field.encode_name] = fields[field.encode_name.lower()] = (field.encode_name, field.type)
    return fields


def _members(kind: Any) -> tuple[Any, ...]:
    """The alternatives of a union, or the one type."""
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _struct_of(kind: Any) -> type[msgspec.Struct] | None:
    for member in _members(kind):
        if isinstance(member, type) and issubclass(member, msgspec.Struct):
            return member
    return None


def _argument(kind: Any, origin: type, position: int) -> Any:
    for member in _members(kind):
        if get_origin(member) is origin:
            return get_args(member)[position]
    return Any


def _holds_none(kind: Any) -> bool:
    return kind is Any or types.NoneType in _members(kind)
