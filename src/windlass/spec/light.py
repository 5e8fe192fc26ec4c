"""Typed values without msgspec, for programs that cannot wait for its import: the same classes, slower per value.

It does what `windlass.spec.struct` promises and nothing more. `convert` makes values of what a JSON decoder returns and
names the place of a mistake by JSON pointer (RFC 6901); `to_builtins` is its inverse.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_MISSING: Any = object()
_WORDS = {dict: "object", list: "array", str: "string", int: "integer", bool: "boolean", float: "number"}


class Mismatch(ValueError):
    """A value is not of the type that its place wants; `pointer` is the place."""

    def __init__(self, pointer: str, problem: str) -> None:
        super().__init__(f"{pointer or '/'}: {problem}")
        self.pointer = pointer
        self.problem = problem


class Struct:
    """A value with named members; see `msgspec.Struct` for the class options."""

    __struct_fields__: tuple[str, ...] = ()
    __struct_encode_fields__: tuple[str, ...] = ()
    __struct_defaults__: Mapping[str, Any] = {}
    __struct_options__: Mapping[str, Any] = {}
    __match_args__: tuple[str, ...] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        merged = {**cls.__struct_options__, **options}
        cls.__struct_options__ = merged
        own = [name for name, kind in cls.__annotations__.items() if not kind.startswith("ClassVar")]
        defaults = dict(cls.__struct_defaults__)
        for name in own:
            defaults[name] = cls.__dict__.get(name, _MISSING)
        cls.__struct_defaults__ = defaults
        cls.__struct_fields__ = cls.__match_args__ = tuple(defaults)  # type: ignore[misc]
        rename = _renamer(merged.get("rename"))
        cls.__struct_encode_fields__ = tuple(rename(name) for name in defaults)

    def __init__(self, *positional: Any, **named: Any) -> None:
        cls = type(self)
        names = cls.__struct_fields__
        if len(positional) > len(names):
            raise TypeError(f"{cls.__name__} takes at most {len(names)} arguments")
        values = self.__dict__
        values.update(zip(names, positional, strict=False))
        for name, value in named.items():
            if name in values or name not in cls.__struct_defaults__:
                raise TypeError(f"{cls.__name__} got an unexpected argument '{name}'")
            values[name] = value
        if len(values) < len(names):
            self._fill(values)

    def _fill(self, values: dict[str, Any]) -> None:
        for name, default in type(self).__struct_defaults__.items():
            if name not in values:
                if default is _MISSING:
                    raise TypeError(f"{type(self).__name__} is missing the argument '{name}'")
                # Empty ones are nobody's in particular: each value has its own.
                values[name] = default.copy() if type(default) in (list, dict) else default

    def __setattr__(self, name: str, value: Any) -> None:
        if type(self).__struct_options__.get("frozen") or name not in type(self).__struct_defaults__:
            raise AttributeError(f"immutable type: '{type(self).__name__}'")
        self.__dict__[name] = value

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__struct_fields__)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self.__struct_fields__))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({shown})"


def replace(value: Any, /, **changes: Any) -> Any:
    """Return a copy of a struct with some members changed."""
    return type(value)(**{**value.__dict__, **changes})


def _renamer(rule: Any) -> Callable[[str], str]:
    if rule is None:
        return str
    if rule == "camel":
        return _camel
    if isinstance(rule, dict):
        return lambda name: rule.get(name, name)
    return lambda name: rule(name) or name


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


# --- from and to the values of a JSON decoder -------------------------------------------------------


def convert(value: Any, kind: Any, pointer: str = "") -> Any:
    """Return `value` as `kind`: a struct, a union, a container of those, or a basic type.

    Members that a struct does not have are ignored; a null member counts as absent, as it does in Go.

    Raises:
        Mismatch: at the first value that does not fit.
    """
    if isinstance(kind, type) and kind.__class__ is type and issubclass(kind, Struct):
        return _convert_struct(value, kind, pointer)
    origin = getattr(kind, "__origin__", None)
    if origin is not None:
        return _convert_container(value, origin, kind.__args__, pointer)
    alternatives = getattr(kind, "__args__", None)
    if alternatives is not None:
        return _convert_union(value, alternatives, pointer)
    if kind is bytes and isinstance(value, bytes):
        return value
    if kind is float and type(value) is int:
        return value
    # bool is an int to Python, and none to a specification.
    if kind is not object and type(value) is not kind:
        raise Mismatch(pointer, f"expected {_word(kind)}, got {_word(type(value))}")
    return value


def _convert_struct(value: Any, kind: type[Struct], pointer: str) -> Struct:
    if kind.__struct_options__.get("array_like"):
        return _convert_array(value, kind, pointer)
    if type(value) is not dict:
        raise Mismatch(pointer, f"expected object, got {_word(type(value))}")
    kinds = _kinds(kind)
    made = kind.__new__(kind)
    members = made.__dict__
    for name, key in zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True):
        given = value.get(key)
        if given is not None:
            members[name] = convert(given, kinds[name], f"{pointer}/{_escaped(key)}")
        elif kind.__struct_defaults__[name] is _MISSING:
            raise Mismatch(f"{pointer}/{_escaped(key)}", "is required")
    made._fill(members)
    return made


def _convert_array(value: Any, kind: type[Struct], pointer: str) -> Struct:
    if type(value) not in (list, tuple):
        raise Mismatch(pointer, f"expected array, got {_word(type(value))}")
    kinds = _kinds(kind)
    pairs = zip(kind.__struct_fields__, value, strict=False)
    return kind(*(convert(item, kinds[name], f"{pointer}/{index}") for index, (name, item) in enumerate(pairs)))


def _convert_container(value: Any, origin: type, arguments: tuple[Any, ...], pointer: str) -> Any:
    if origin is dict:
        if type(value) is not dict:
            raise Mismatch(pointer, f"expected object, got {_word(type(value))}")
        inner = arguments[1]
        return {key: convert(item, inner, f"{pointer}/{_escaped(key)}") for key, item in value.items()}
    if type(value) not in (list, tuple):
        raise Mismatch(pointer, f"expected array, got {_word(type(value))}")
    if origin is tuple and arguments[-1] is not ...:
        if len(value) != len(arguments):
            raise Mismatch(pointer, f"expected {len(arguments)} elements, got {len(value)}")
        inners = arguments
    else:
        inners = (arguments[0],) * len(value)
    items = [convert(item, inner, f"{pointer}/{i}") for i, (item, inner) in enumerate(zip(value, inners, strict=True))]
    return tuple(items) if origin is tuple else items


def _convert_union(value: Any, alternatives: tuple[Any, ...], pointer: str) -> Any:
    if value is None and type(None) in alternatives:
        return None
    if type(value) is dict:
        for kind in alternatives:
            tag_field = getattr(kind, "__struct_options__", {}).get("tag_field")
            if tag_field and value.get(tag_field) == _tag(kind):
                return convert(value, kind, pointer)
    others = [kind for kind in alternatives if kind is not type(None)]
    if len(others) == 1:
        return convert(value, others[0], pointer)
    for kind in others:
        if type(value) is kind:
            return value
    raise Mismatch(pointer, f"expected {' or '.join(map(_word, others[:3]))}, got {_word(type(value))}")


def to_builtins(value: Any) -> Any:
    """Return a value of structs as dicts, lists and basic types; members with their default are left out."""
    if isinstance(value, Struct):
        kind = type(value)
        if kind.__struct_options__.get("array_like"):
            return [to_builtins(getattr(value, name)) for name in kind.__struct_fields__]
        return _members(value, kind)
    if isinstance(value, list):
        return [to_builtins(item) for item in value]
    if isinstance(value, tuple):
        return tuple(to_builtins(item) for item in value)
    if isinstance(value, dict):
        return {key: to_builtins(item) for key, item in value.items()}
    return value


def _members(value: Struct, kind: type[Struct]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    options = kind.__struct_options__
    if "tag_field" in options:
        made[options["tag_field"]] = _tag(kind)
    for name, key in zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True):
        member = getattr(value, name)
        if not options.get("omit_defaults") or member != kind.__struct_defaults__[name]:
            made[key] = to_builtins(member)
    return made


def _tag(kind: type[Struct]) -> str:
    tag: str | Callable[[str], str] = kind.__struct_options__["tag"]
    return tag if isinstance(tag, str) else tag(kind.__name__)


_known: dict[type[Struct], dict[str, Any]] = {}


def _kinds(kind: type[Struct]) -> dict[str, Any]:
    """Evaluate the annotations of a struct, its bases' in their own modules."""
    kinds = _known.get(kind)
    if kinds is None:
        kinds = {}
        for cls in reversed(kind.__mro__[: -len(Struct.__mro__)]):
            names = vars(sys.modules[cls.__module__])
            for name, text in cls.__annotations__.items():
                kinds[name] = eval(text, names)
        _known[kind] = kinds
    return kinds


def _escaped(key: str) -> str:
    """Source: RFC 6901, section 3."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


def _word(kind: Any) -> str:
    if getattr(kind, "__origin__", None) is not None:
        kind = kind.__origin__
    return _WORDS.get(kind) or ("null" if kind is type(None) else "object")
