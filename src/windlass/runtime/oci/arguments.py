"""The grammar of the command line: runc's, and what clients write for crun.

Options come in any order before the first word; after it too where a command says so. `--name value`, `--name=value`,
one dash or two; `--` ends them.

Source: runc(8) and its pages by command; crun(1).
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_TRUE = ("true", "1", "t", "T", "TRUE", "True")
_FALSE = ("false", "0", "f", "F", "FALSE", "False")


class Option:
    """One option: `kind` is `flag`, `text`, `number` or `list`."""

    def __init__(self, kind: str, names: str, text: str) -> None:
        """`names` are separated by commas, the first is the one that values are found by."""
        self.kind = kind
        self.names = names.split(",")
        self.text = text

    @property
    def name(self) -> str:
        """The name that values are found by."""
        return self.names[0]


class Values:
    """What was given, by option name."""

    def __init__(self) -> None:
        self._values: dict[str, list[str]] = {}

    def add(self, name: str, value: str) -> None:
        """Take one occurrence."""
        self._values.setdefault(name, []).append(value)

    def given(self, name: str) -> bool:
        """Tell whether the option was there at all."""
        return name in self._values

    def on(self, name: str) -> bool:
        """Return a flag."""
        return self.text(name) == "true"

    def text(self, name: str, default: str = "") -> str:
        """Return the last value."""
        return self._values[name][-1] if name in self._values else default

    def number(self, name: str) -> int:
        """Return the last value as a number, 0 without one."""
        return int(self.text(name, "0"))

    def all(self, name: str) -> list[str]:
        """Return every value in order."""
        return list(self._values.get(name, ()))


def parse(options: Sequence[Option], words: Sequence[str], *, interspersed: bool) -> tuple[Values, list[str]]:
    """Separate options from other words.

    Raises:
        InvalidParameter: an unknown option, one without its value, or a value of the wrong kind.
    """
    known = {name: option for option in options for name in option.names}
    values = Values()
    rest: list[str] = []
    pending = list(words)
    while pending:
        word = pending.pop(0)
        if word == "--":
            return values, rest + pending
        if not word.startswith("-") or word == "-":
            rest.append(word)
            if not interspersed:
                return values, rest + pending
            continue
        name, separator, value = word.lstrip("-").partition("=")
        if name not in known:
            raise InvalidParameter(f"flag provided but not defined: -{name}")
        option = known[name]
        if not separator:
            value = _next_value(option, name, pending)
        values.add(option.name, _checked(option, name, value))
    return values, rest


def _next_value(option: Option, name: str, pending: list[str]) -> str:
    if option.kind == "flag":
        return "true"
    if not pending:
        raise InvalidParameter(f"flag needs an argument: -{name}")
    return pending.pop(0)


def _checked(option: Option, name: str, value: str) -> str:
    if option.kind == "flag":
        if value not in _TRUE + _FALSE:
            raise InvalidParameter(f'invalid boolean value "{value}" for -{name}')
        return "true" if value in _TRUE else "false"
    if option.kind == "number" and not value.removeprefix("-").isdecimal():
        raise InvalidParameter(f'invalid value "{value}" for flag -{name}: not a number')
    return value


def exactly(words: list[str], count: int, command: str) -> list[str]:
    """Return `words` when there are `count`.

    Raises:
        InvalidParameter: in runc's words.
    """
    if len(words) != count:
        plural = "argument" if count == 1 else "arguments"
        raise InvalidParameter(f'runc: "{command}" requires exactly {count} {plural}')
    return words


def at_least(words: list[str], count: int, command: str) -> list[str]:
    """Return `words` when there are `count` or more."""
    if len(words) < count:
        raise InvalidParameter(f'runc: "{command}" requires a minimum of {count} argument' + "s" * (count > 1))
    return words


def option_lines(options: Sequence[Option]) -> str:
    """Describe options, one line each."""
    lines = []
    for option in options:
        names = ", ".join(("--" if len(name) > 1 else "-") + name for name in option.names)
        lines.append(f"  {names + ('' if option.kind == 'flag' else ' value'):<34} {option.text}\n")
    return "".join(lines)
