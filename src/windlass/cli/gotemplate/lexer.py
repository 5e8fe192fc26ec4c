"""Template text to tokens.

Source: https://pkg.go.dev/text/template#hdr-Text_and_spaces and #hdr-Actions
"""

from __future__ import annotations

from windlass.cli.gotemplate.errors import ParseError

TEXT, OPEN, CLOSE, FIELD, VARIABLE, WORD, STRING, NUMBER, CHAR, PUNCTUATION = range(10)
BLANKS = " \t\r\n"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", '"': '"', "'": "'"}
_PUNCTUATION = ("|", "(", ")", ",", ":=", "=")
_COMMENT_OPEN, _COMMENT_CLOSE = "/*", "*/"


class Token:
    """One token; `position` is its offset in the template, `spaced` whether blanks stand before it."""

    __slots__ = ("kind", "position", "spaced", "text")

    def __init__(self, kind: int, text: str, position: int, spaced: bool = False) -> None:
        self.kind = kind
        self.text = text
        self.position = position
        self.spaced = spaced


class Lexer:
    """Turns one template into a list of tokens; raises ParseError."""

    def __init__(self, name: str, source: str) -> None:
        self._name = name
        self._source = source
        self._position = 0
        self._tokens: list[Token] = []

    def tokens(self) -> list[Token]:
        """Return all tokens; literals have their value as text, already unquoted."""
        trim_left = False
        while self._position < len(self._source):
            start = self._position
            opening = self._source.find("{{", start)
            end = len(self._source) if opening < 0 else opening
            text = self._source[start:end]
            if trim_left:
                text = text.lstrip(BLANKS)
            if opening >= 0 and self._trims_before(opening):
                text = text.rstrip(BLANKS)
            if text:
                self._tokens.append(Token(TEXT, text, start))
            if opening < 0:
                break
            trim_left = self._action(opening)
        return self._tokens

    def _trims_before(self, opening: int) -> bool:
        after = self._source[opening + 2 : opening + 4]
        return len(after) == 2 and after[0] == "-" and after[1] in BLANKS

    def _action(self, opening: int) -> bool:
        """Read one `{{ ... }}`; returns whether the text after it is trimmed."""
        self._position = opening + 2 + (2 if self._trims_before(opening) else 0)
        if self._source.startswith(_COMMENT_OPEN, self._position):
            return self._comment()
        self._tokens.append(Token(OPEN, "{{", opening))
        while True:
            spaced = self._skip_blanks()
            rest = self._source[self._position : self._position + 3]
            if rest.startswith("}}") or (spaced and rest == "-}}"):
                self._tokens.append(Token(CLOSE, "}}", self._position))
                self._position += len(rest) if rest == "-}}" else 2
                return rest == "-}}"
            if not rest:
                raise self._error("unclosed action")
            self._token(spaced)

    def _comment(self) -> bool:
        end = self._source.find(_COMMENT_CLOSE, self._position)
        if end < 0:
            raise self._error("unclosed comment")
        self._position = end + 2
        spaced = self._skip_blanks()
        trims = spaced and self._source.startswith("-}}", self._position)
        if not trims and not self._source.startswith("}}", self._position):
            raise self._error("comment ends before closing delimiter")
        self._position += 3 if trims else 2
        return trims

    def _skip_blanks(self) -> bool:
        start = self._position
        while self._position < len(self._source) and self._source[self._position] in BLANKS:
            self._position += 1
        return self._position > start

    def _token(self, spaced: bool) -> None:
        start = self._position
        character = self._source[start]
        if character == '"':
            self._add(STRING, self._quoted('"'), start, spaced)
        elif character == "'":
            self._character(start, spaced)
        elif character == "`":
            self._add(STRING, self._raw(), start, spaced)
        elif character in ".$":
            self._dotted(character, spaced)
        elif character.isdigit() or (character in "+-" and self._source[start + 1 : start + 2].isdigit()):
            self._run(NUMBER, start + 1, "._", spaced)
        elif character == "_" or character.isalpha():
            self._run(WORD, start, "_", spaced)
        else:
            self._punctuation(spaced)

    def _character(self, start: int, spaced: bool) -> None:
        text = self._quoted("'")
        if len(text) != 1:
            raise self._error(f"malformed character constant: {self._source[start : self._position]}")
        self._add(CHAR, str(ord(text)), start, spaced)

    def _add(self, kind: int, text: str, start: int, spaced: bool) -> None:
        self._tokens.append(Token(kind, text, start, spaced))

    def _run(self, kind: int, after: int, extra: str, spaced: bool) -> None:
        start, end = self._position, after
        while end < len(self._source) and (self._source[end].isalnum() or self._source[end] in extra):
            end += 1
        self._position = end
        self._add(kind, self._source[start:end], start, spaced)

    def _dotted(self, character: str, spaced: bool) -> None:
        following = self._source[self._position + 1 : self._position + 2]
        if character == "." and following.isdigit():
            self._run(NUMBER, self._position + 1, "._", spaced)
            return
        self._run(FIELD if character == "." else VARIABLE, self._position + 1, "_", spaced)

    def _punctuation(self, spaced: bool) -> None:
        for mark in _PUNCTUATION:
            if self._source.startswith(mark, self._position):
                self._add(PUNCTUATION, mark, self._position, spaced)
                self._position += len(mark)
                return
        character = self._source[self._position]
        raise self._error(f"unexpected {character!r} in command" if character != "}" else "unexpected right brace")

    def _quoted(self, quote: str) -> str:
        position = self._position + 1
        parts: list[str] = []
        while True:
            character = self._source[position : position + 1]
            if character in ("", "\n"):
                raise self._error("unterminated quoted string" if quote == '"' else "unterminated character constant")
            position += 1
            if character == quote:
                break
            if character == "\\":
                character, position = self._escape(position)
            parts.append(character)
        self._position = position
        return "".join(parts)

    def _escape(self, position: int) -> tuple[str, int]:
        letter = self._source[position : position + 1]
        if letter in _ESCAPES:
            return _ESCAPES[letter], position + 1
        if letter in "01234567" and letter:
            octal = self._source[position : position + 3]
            if len(octal) == 3 and all(digit in "01234567" for digit in octal):
                return chr(int(octal, 8)), position + 3
        width = {"x": 2, "u": 4, "U": 8}.get(letter, 0)
        digits = self._source[position + 1 : position + 1 + width]
        try:
            return chr(int(digits, 16)), position + 1 + width
        except ValueError:
            raise self._error("invalid syntax") from None

    def _raw(self) -> str:
        end = self._source.find("`", self._position + 1)
        if end < 0:
            raise self._error("unterminated raw quoted string")
        text = self._source[self._position + 1 : end]
        self._position = end + 1
        return text

    def _error(self, reason: str) -> ParseError:
        return ParseError(self._name, line_of(self._source, self._position), reason)


def line_of(source: str, position: int) -> int:
    """Return the line, counted from 1, of an offset."""
    return source.count("\n", 0, position) + 1
