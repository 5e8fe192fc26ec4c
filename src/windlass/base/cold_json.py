"""JSON for programs that live for milliseconds: what `json` does by default, without its import of `re`.

CPython's decoder and encoder are in its C module `_json`; where that is missing or different, `json` itself does it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_make_scanner: Any
_quoted: Callable[[str], str]
# Here and not where they are used: init encodes its failure where nothing can be imported any more.
try:
    from _json import encode_basestring_ascii as _quoted
    from _json import make_scanner as _make_scanner
except ImportError:
    import json

    _make_scanner, _quoted = None, json.dumps

_SPACE = " \t\n\r"


class _Rules:
    """What the scanner asks for. Source: CPython, Modules/_json.c, scanner_new()."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int

    @staticmethod
    def parse_constant(name: str) -> None:
        raise ValueError(f"{name} is not JSON")


def loads(data: bytes) -> Any:
    """Decode UTF-8 JSON.

    Raises:
        ValueError: it is none.
    """
    rules: Any = _Rules()
    if _make_scanner is None:
        return json.loads(data)
    text = data.decode()
    start = len(text) - len(text.lstrip(_SPACE))
    try:
        value, end = _make_scanner(rules)(text, start)
    except StopIteration as stop:
        raise ValueError(f"expecting value at character {stop.value}") from None
    except SystemError:
        # The scanner raises an exception of `json`, which nobody has imported.
        import json as described

        return described.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text[end:].strip(_SPACE):
        raise ValueError(f"extra data at character {end}")
    return value


def dumps(value: object) -> str:
    """Encode dicts, lists, strings, finite numbers, booleans and None compactly."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float) and value - value == 0:
        return float.__repr__(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(str(key))}:{dumps(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dumps, value)) + "]"
    raise TypeError(f"no JSON for {type(value).__name__}")
