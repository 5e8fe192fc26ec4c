"""Go's spellings of values: quoted strings, booleans, integers, as Docker's messages and flags have them.

Source: https://pkg.go.dev/strconv
"""

from __future__ import annotations

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
}


def quoted(text: str) -> str:
    """Return `text` as Go's %q prints it."""
    return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else _code(c)) for c in text) + '"'


def _code(character: str) -> str:
    point = ord(character)
    if point < 0x80:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def parse_bool(text: str) -> bool:
    """Parse a boolean as strconv.ParseBool does; raises ValueError with its text."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"strconv.ParseBool: parsing {quoted(text)}: invalid syntax")


def parse_int(text: str, bits: int = 64, base: int = 0) -> int:
    """Parse a signed integer as strconv.ParseInt does; raises ValueError with its text."""
    limit = 1 << (bits - 1)
    value = _integer(text, base, "ParseInt")
    if not -limit <= value < limit:
        raise ValueError(f"strconv.ParseInt: parsing {quoted(text)}: value out of range")
    return value


def parse_uint(text: str, bits: int = 64, base: int = 0) -> int:
    """Parse an unsigned integer as strconv.ParseUint does; raises ValueError with its text."""
    if text[:1] in ("+", "-"):
        raise ValueError(f"strconv.ParseUint: parsing {quoted(text)}: invalid syntax")
    value = _integer(text, base, "ParseUint")
    if value >= 1 << bits:
        raise ValueError(f"strconv.ParseUint: parsing {quoted(text)}: value out of range")
    return value


def _integer(text: str, base: int, function: str) -> int:
    digits = text.lstrip("+-")
    octal = base == 0 and len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    try:
        if not text.isascii() or text != text.strip() or (base and "_" in text):
            raise ValueError
        return int(text, 8 if octal else base)
    except ValueError:
        raise ValueError(f"strconv.{function}: parsing {quoted(text)}: invalid syntax") from None
