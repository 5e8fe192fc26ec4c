"""One line of comma-separated fields with optional double quotes.

Source: RFC 4180.
"""

from __future__ import annotations


def split_fields(text: str) -> list[str]:
    """Split `a,"b,c",d`; raises ValueError when a quote stands where none may."""
    if not text:
        raise ValueError("EOF")
    fields: list[str] = []
    position = 0
    while True:
        if text.startswith('"', position):
            field, position = _quoted(text, position)
        else:
            end = text.find(",", position)
            end = len(text) if end < 0 else end
            field, position = text[position:end], end
            if '"' in field:
                raise ValueError('parse error on line 1, column 1: bare " in non-quoted-field')
        fields.append(field)
        if position >= len(text):
            return fields
        position += 1


def _quoted(text: str, start: int) -> tuple[str, int]:
    parts: list[str] = []
    position = start + 1
    while True:
        end = text.find('"', position)
        if end < 0:
            raise ValueError('parse error on line 1: extraneous or missing " in quoted-field')
        parts.append(text[position:end])
        position = end + 1
        if not text.startswith('"', position):
            break
        parts.append('"')
        position += 1
    if position < len(text) and text[position] != ",":
        raise ValueError('parse error on line 1: extraneous or missing " in quoted-field')
    return "".join(parts), position


def key_values(text: str) -> list[tuple[str, str | None]]:
    """Split a line into (key in lower case, value or None without `=`) pairs; raises ValueError."""
    pairs: list[tuple[str, str | None]] = []
    for field in split_fields(text):
        key, equals, value = field.partition("=")
        pairs.append((key.lower(), value if equals else None))
    return pairs
