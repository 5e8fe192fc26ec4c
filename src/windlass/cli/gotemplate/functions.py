"""The functions a template may call: Go's own and those Docker adds.

Source: https://pkg.go.dev/text/template#hdr-Functions and https://docs.docker.com/engine/cli/formatting/
"""

from __future__ import annotations

from windlass.cli.gotemplate.values import NilList, is_true, plain, printed
from windlass.client.json_text import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class CallError(Exception):
    """A function was given what it cannot take; the text is the reason."""


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise CallError(f"wrong type for value; expected string; got {kind_of(value)}")
    return value


def kind_of(value: object) -> str:
    """The name of a value's Go type, for messages."""
    if value is None:
        return "<nil>"
    names: tuple[tuple[type, str], ...] = (
        (bool, "bool"),
        (int, "int"),
        (float, "float64"),
        (str, "string"),
        (list, "[]interface {}"),
        (dict, "map[string]interface {}"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), type(value).__name__)


def _json(value: object) -> str:
    return dumps(plain(value))


def _join(items: object, separator: object) -> str:
    if not isinstance(items, list | tuple):
        raise CallError(f"wrong type for value; expected []string; got {kind_of(items)}")
    return _text(separator, "join").join(item if isinstance(item, str) else printed(item) for item in items)


def _split(text: object, separator: object) -> list[object]:
    separator = _text(separator, "split")
    text = _text(text, "split")
    return list(text.split(separator)) if separator else list(text)


def _title(text: object) -> str:
    result, start = [], True
    for character in _text(text, "title"):
        result.append(character.title() if start else character)
        start = not (character.isalnum() or character in "_'")
    return "".join(result)


def _pad(text: object, before: object, after: object) -> str:
    text = _text(text, "pad")
    if not text or not isinstance(before, int) or not isinstance(after, int):
        return text
    return " " * before + text + " " * after


def _truncate(text: object, length: object) -> str:
    if not isinstance(length, int):
        raise CallError(f"wrong type for value; expected int; got {kind_of(length)}")
    return _text(text, "truncate")[:length]


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, list | tuple | dict):
        return len(value)
    raise CallError(
        "error calling len: len of nil pointer" if value is None else f"error calling len: len of type {kind_of(value)}"
    )


def _index(value: object, *keys: object) -> object:
    for key in keys:
        if value is None or isinstance(value, NilList):
            raise CallError("error calling index: index of untyped nil")
        if isinstance(value, dict):
            value = _entry(value, key)
        elif isinstance(value, list | tuple | str):
            value = _element(value, key)
        else:
            raise CallError(f"error calling index: can't index item of type {kind_of(value)}")
    return value


def _entry(value: dict[str, object], key: object) -> object:
    if not isinstance(key, str):
        raise CallError(f"error calling index: value has type {kind_of(key)}; should be string")
    if key in value:
        return value[key]
    return "" if all(isinstance(item, str) for item in value.values()) else None


def _element(value: Sequence[object], key: object) -> object:
    if not isinstance(key, int):
        raise CallError(f"error calling index: cannot index slice/array with type {kind_of(key)}")
    if not 0 <= key < len(value):
        raise CallError(f"error calling index: index out of range: {key}")
    item = value[key]
    return ord(item) if isinstance(value, str) and isinstance(item, str) else item


def _slice(value: object, *bounds: object) -> object:
    if not isinstance(value, str | list | tuple):
        raise CallError(f"error calling slice: can't slice item of type {kind_of(value)}")
    numbers = [bound for bound in bounds if isinstance(bound, int)]
    start, end = (numbers + [0, len(value)][len(numbers) :])[:2]
    if not 0 <= start <= end <= len(value):
        raise CallError(f"error calling slice: index out of range: {end}")
    return value[start:end]


def _equal(first: object, *others: object) -> bool:
    if not others:
        raise CallError("error calling eq: missing argument for comparison")
    return any(_same(first, other) for other in others)


def _same(first: object, second: object) -> bool:
    if first is None or second is None:
        return first is second
    # An int and a float are of different kinds, and bool is no int here.
    if any(type(first) is kind and type(second) is kind for kind in (bool, int, float, str)):
        return first == second
    raise CallError("error calling eq: incompatible types for comparison")


def _less(first: object, second: object) -> bool:
    if isinstance(first, str) and isinstance(second, str):
        return first < second
    if isinstance(first, int | float) and isinstance(second, int | float) and not isinstance(first, bool):
        return first < second
    raise CallError("error calling lt: incompatible types for comparison")


def _sprint(*values: object) -> str:
    parts: list[str] = []
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            parts.append(" ")
        parts.append(printed(value))
    return "".join(parts)


def _println(*values: object) -> str:
    return " ".join(map(printed, values)) + "\n"


def _printf(layout: object, *values: object) -> str:
    from windlass.cli.gotemplate.printf import sprintf

    return sprintf(_text(layout, "printf"), values)


def _html(*values: object) -> str:
    text = _sprint(*values)
    for character, escape in (("&", "&amp;"), ("'", "&#39;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&#34;")):
        text = text.replace(character, escape)
    return text


def _js(*values: object) -> str:
    """Source: https://pkg.go.dev/text/template#JSEscape"""
    return "".join(_JS_ESCAPES.get(c) or (c if c >= " " else f"\\u{ord(c):04X}") for c in _sprint(*values))


def _urlquery(*values: object) -> str:
    from windlass.client.wire import quote

    return quote(_sprint(*values), safe=" ").replace(" ", "+")


_JS_ESCAPES = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "=": "\\u003D",
}

FUNCTIONS: dict[str, Callable[..., object]] = {
    "eq": _equal,
    "ge": lambda first, second: not _less(first, second),
    "gt": lambda first, second: _less(second, first),
    "html": _html,
    "index": _index,
    "join": _join,
    "js": _js,
    "json": _json,
    "le": lambda first, second: not _less(second, first),
    "len": _length,
    "lower": lambda text: _text(text, "lower").lower(),
    "lt": _less,
    "ne": lambda first, second: not _same(first, second),
    "not": lambda value: not is_true(value),
    "pad": _pad,
    "print": _sprint,
    "printf": _printf,
    "println": _println,
    "slice": _slice,
    "split": _split,
    "title": _title,
    "truncate": _truncate,
    "upper": lambda text: _text(text, "upper").upper(),
    "urlquery": _urlquery,
}

# Evaluated only as far as the result needs.
LAZY = ("and", "or")
# The values of templates are data, so that none of them can be called.
REFUSED = "call"
