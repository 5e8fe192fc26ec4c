"""Words of a Dockerfile instruction: quotes, escapes and variables as the builder reads them.

Source: Dockerfile reference, "Environment replacement".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_VARIABLE = re.compile(
    r"\$(?:(?P<plain>[A-Za-z_][A-Za-z0-9_]*)|\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)(?::(?P<sign>[-+])(?P<word>[^}]*))?\})"
)


def split_words(text: str) -> list[str]:
    """Split at blanks outside quotes; quotes and escapes stay for `expand`."""
    words: list[str] = []
    current, quote, escaped = "", "", False
    for character in text:
        if escaped:
            current, escaped = current + character, False
        elif character == "\\" and quote != "'":
            current, escaped = current + character, True
        elif quote:
            current += character
            quote = "" if character == quote else quote
        elif character in "'\"":
            current, quote = current + character, character
        elif character.isspace():
            if current:
                words.append(current)
            current = ""
        else:
            current += character
    return [*words, current] if current else words


def expand(word: str, env: Mapping[str, str]) -> str:
    """Return `word` without its quotes and escapes, with variables of `env` in place; unknown ones are empty."""
    out: list[str] = []
    quote = ""
    position = 0
    while position < len(word):
        character = word[position]
        position += 1
        if quote != "'" and character == "\\" and position < len(word):
            following = word[position]
            position += 1
            out.append(following if not quote or following in '"\\$' else f"\\{following}")
        elif character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        elif quote != "'" and (match := _VARIABLE.match(word, position - 1)):
            out.append(_value(match, env))
            position = match.end()
        else:
            out.append(character)
    return "".join(out)


def _value(match: re.Match[str], env: Mapping[str, str]) -> str:
    value = env.get(match["plain"] or match["braced"], "")
    if match["sign"] == "-":
        return value or match["word"]
    if match["sign"] == "+":
        return match["word"] if value else ""
    return value
