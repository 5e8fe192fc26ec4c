"""JSON text for a process that lives for milliseconds.

Importing `json` costs more than everything else a short command does (it compiles regular expressions), while the
C accelerator behind it costs 0.1 ms. It is used directly where the interpreter has it; `json` serves otherwise.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class _ScannerSettings:
    """What the C scanner reads from a `json.JSONDecoder`."""

    strict = False
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is not JSON serializable")


def _accelerated() -> tuple[Callable[[str], object], Callable[[object], str]]:
    from _json import encode_basestring, make_encoder, make_scanner

    scan = make_scanner(_ScannerSettings)  # type: ignore[arg-type]
    encode = make_encoder(None, _refuse, encode_basestring, None, ":", ",", False, False, True)

    def loads(text: str) -> object:
        text = text.strip(" \t\r\n")
        try:
            value, end = scan(text, 0)
        except StopIteration as stop:
            raise ValueError(f"invalid JSON at character {stop.value}") from None
        if end != len(text):
            raise ValueError(f"unexpected text after JSON at character {end}")
        return value

    def dumps(value: object) -> str:
        return "".join(encode(value, 0))

    return loads, dumps


def _portable() -> tuple[Callable[[str], object], Callable[[object], str]]:
    import json

    return json.loads, lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))


try:
    _loads, _dumps = _accelerated()
except (ImportError, TypeError, AttributeError):  # another implementation, or another shape of the accelerator
    _loads, _dumps = _portable()


def loads(text: str | bytes | bytearray) -> object:
    """Parse one JSON value; raises ValueError when `text` is anything else.

    Source: RFC 8259.
    """
    return _loads(text if isinstance(text, str) else text.decode("utf-8", "replace"))


def dumps(value: object) -> str:
    """Return compact JSON text of dicts, lists, strings, numbers, booleans and None."""
    return _dumps(value)
