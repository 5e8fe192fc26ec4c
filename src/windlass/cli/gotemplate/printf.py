"""Go's fmt.Sprintf.

Source: https://pkg.go.dev/fmt#hdr-Printing
"""

from __future__ import annotations

from windlass.cli.gotemplate.values import printed
from windlass.cli.gotext import quoted

_FLAGS = "+-# 0"
_NUMERIC = "dboxXcUeEfFgG"


def sprintf(layout: str, values: tuple[object, ...]) -> str:
    """Format `values`; what does not fit shows in the text, as `%!d(string=x)` or `%!v(MISSING)`."""
    out: list[str] = []
    rest = list(values)
    position = 0
    while position < len(layout):
        percent = layout.find("%", position)
        if percent < 0:
            out.append(layout[position:])
            break
        out.append(layout[position:percent])
        end = percent + 1
        while end < len(layout) and layout[end] in _FLAGS + "123456789.":
            end += 1
        if end >= len(layout):
            out.append("%!(NOVERB)")
            break
        spec, verb = layout[percent + 1 : end], layout[end]
        position = end + 1
        if verb == "%":
            out.append("%")
        elif not rest:
            out.append(f"%!{verb}(MISSING)")
        else:
            out.append(_one(spec, verb, rest.pop(0)))
    if rest:
        out.append("%!(EXTRA " + ", ".join(f"{_type(value)}={printed(value)}" for value in rest) + ")")
    return "".join(out)


def _one(spec: str, verb: str, value: object) -> str:
    text = _converted(spec, verb, value)
    if text is None:
        return f"%!{verb}({_type(value)}={printed(value)})"
    width_text = spec.lstrip(_FLAGS).partition(".")[0]
    width = int(width_text) if width_text else 0
    flags = spec[: len(spec) - len(spec.lstrip(_FLAGS))]
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and verb in _NUMERIC:
        return text.zfill(width)
    return text.rjust(width)


def _converted(spec: str, verb: str, value: object) -> str | None:
    _, dot, precision_text = spec.partition(".")
    precision = int(precision_text or "0") if dot else None
    if verb == "s" and isinstance(value, bool | int | float):
        return None
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
    return _number(verb, value, precision, "+" if "+" in spec else "")


def _number(verb: str, value: int | float | str, precision: int | None, sign: str) -> str | None:
    if isinstance(value, str):
        return value.encode().hex() if verb == "x" else value.encode().hex().upper() if verb == "X" else None
    if verb in "dboxX" and isinstance(value, int):
        return format(value, f"{sign}{verb}")
    if verb == "c" and isinstance(value, int):
        return chr(value)
    if verb in "eEfFgG":
        digits = 6 if precision is None else precision
        if verb in "gG" and precision is None:
            return printed(float(value))
        return format(float(value), f"{sign}.{digits}{verb}")
    return None


def _type(value: object) -> str:
    from windlass.cli.gotemplate.functions import kind_of

    return kind_of(value)
