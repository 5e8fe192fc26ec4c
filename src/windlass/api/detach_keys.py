"""Detach keys: `ctrl-p,ctrl-q` to the bytes that a terminal sends.

Source: Engine API, parameter `detachKeys`: a character, or `ctrl-` and one of `a-z`, `@`, `^`, `[`, `,`, `_`.
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter

DEFAULT_KEYS = b"\x10\x11"

_CONTROL = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31} | {
    chr(ord("a") + position): position + 1 for position in range(26)
}


def parse_detach_keys(text: str) -> bytes:
    """Return the bytes that keys send.

    Raises:
        InvalidParameter: a key is unknown.
    """
    return bytes(_key(key, text) for key in text.split(","))


def _key(key: str, text: str) -> int:
    if len(key) == 1 and key.isascii():
        return ord(key)
    name = key.lower().removeprefix("ctrl-")
    if name == key.lower() or name not in _CONTROL:
        raise InvalidParameter(f"Invalid detach keys ({text}) provided")
    return _CONTROL[name]
