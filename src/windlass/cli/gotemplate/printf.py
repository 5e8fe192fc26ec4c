"""Go's fmt.Sprintf.

Source: https://pkg.go.dev/fmt#hdr-Printing
"""

from __future__ import annotations

from windlass.cli.gotemplate.values import printed
from windlass.cli.gotext import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_FLAGS = "+-# 0"
_NUMERIC = "dboxXcUeEfFgG"
MAX_WIDTH = 1_000_000  # as Go: a larger one is no width


def sprintf(layout: str, values: Sequence[object]) -> str:
    """Format `values`; what does not fit shows in the text, as `%!d(string=x)` or `%!v(MISSING)`."""
    return _Formatter(layout, values).text()


class _Formatter:
    """One call: where it stands in the layout, and which value is next."""

    def __init__(self, layout: str, values: Sequence[object]) -> None:
        self._layout = layout
        self._values = values
        self._position = 0
        self._next = 0
        self._reordered = False

    def text(self) -> str:
        out: list[str] = []
        while True:
            percent = self._layout.find("%", self._position)
            if percent < 0:
                out.append(self._layout[self._position :])
                break
            out.append(self._layout[self._position : percent])
            self._position = percent + 1
            out.append(self._directive())
        if not self._reordered and self._next < len(self._values):
            extra = ", ".join(f"{_type(value)}={printed(value)}" for value in self._values[self._next :])
            out.append(f"%!(EXTRA {extra})")
        return "".join(out)

    def _directive(self) -> str:
        flags = self._take(_FLAGS)
        width = self._number()
        if width is not None and width < 0:
            flags, width = f"{flags}-", -width
        precision = None
        if self._layout[self._position : self._position + 1] == ".":
            self._position += 1
            precision = self._number() or 0
        self._index()
        verb = self._layout[self._position : self._position + 1]
        self._position += 1
        if not verb:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if self._next >= len(self._values):
            return f"%!{verb}(BADINDEX)" if self._reordered else f"%!{verb}(MISSING)"
        value = self._values[self._next]
        self._next += 1
        return _padded(flags, width or 0, verb, _converted(flags, precision, verb, value), value)

    def _take(self, characters: str) -> str:
        start = self._position
        while self._position < len(self._layout) and self._layout[self._position] in characters:
            self._position += 1
        return self._layout[start : self._position]

    def _number(self) -> int | None:
        """Read a width or precision: digits, or `*` for the next value."""
        self._index()
        if self._layout[self._position : self._position + 1] != "*":
            digits = self._take("0123456789")
            return min(int(digits[:9]), MAX_WIDTH) if digits else None
        self._position += 1
        value = self._values[self._next] if self._next < len(self._values) else None
        self._next += 1
        return value if isinstance(value, int) and abs(value) <= MAX_WIDTH else None

    def _index(self) -> None:
        """Read `[n]`, which makes the n-th value the next one."""
        if self._layout[self._position : self._position + 1] != "[":
            return
        end = self._layout.find("]", self._position)
        digits = self._layout[self._position + 1 : end]
        if end > 0 and digits.isdecimal() and len(digits) < 9:
            self._reordered = True
            self._next = int(digits) - 1 if 0 < int(digits) <= len(self._values) else len(self._values)
            self._position = end + 1


def _padded(flags: str, width: int, verb: str, text: str | None, value: object) -> str:
    if text is None:
        return f"%!{verb}({_type(value)}={printed(value)})"
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and verb in _NUMERIC:
        return text.zfill(width)
    return text.rjust(width)


def _converted(flags: str, precision: int | None, verb: str, value: object) -> str | None:
    if isinstance(value, list | tuple) and verb not in "vT":
        parts = [_converted(flags, precision, verb, item) for item in value]
        return f"[{' '.join(part for part in parts if part is not None)}]"
    if verb == "s" and isinstance(value, bool | int | float):
        return None
    if verb == "v" and "#" in flags and isinstance(value, str):
        return quoted(value)
    if verb in "vs":
        text = printed(value)
        return text[:precision] if precision is not None and verb == "s" else text
    if verb == "q":
        return quoted(value) if isinstance(value, str) else None
    if verb == "t":
        return printed(value) if isinstance(value, bool) else None
    if verb == "T":
        return _type(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    return _number(verb, value, precision, "+" if "+" in flags else "")


def _number(verb: str, value: int | float | str, precision: int | None, sign: str) -> str | None:
    if isinstance(value, str):
        return value.encode().hex() if verb == "x" else value.encode().hex().upper() if verb == "X" else None
    if verb in "dboxX" and isinstance(value, int):
        return format(value, f"{sign}{verb}")
    if verb in "cU" and isinstance(value, int):
        return (chr(value) if 0 <= value <= 0x10FFFF else "\ufffd") if verb == "c" else f"U+{value:04X}"
    if verb in "eEfFgG" and isinstance(value, float):
        digits = min(6 if precision is None else precision, 1000)
        if verb in "gG" and precision is None:
            return printed(value) if verb == "g" else printed(value).upper()
        return format(value, f"{sign}.{digits}{verb}")
    return None


def _type(value: object) -> str:
    from windlass.cli.gotemplate.functions import kind_of

    return kind_of(value)
