"""Flags: declared as tables, parsed as Docker's command line parses them.

Source: https://pkg.go.dev/github.com/spf13/pflag (command line flag syntax).
"""

from __future__ import annotations

from windlass.cli.errors import EXIT_ENGINE, UsageError
from windlass.cli.gotext import parse_bool, parse_int, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Parser = Callable[[str], object]


class Flag:
    """One declared flag.

    `type_name` stands for the value in the help and is empty for a boolean; `parse` turns the value's text into what
    `Values` holds, or raises ValueError with the reason; `many` collects the values of repeated flags. `dest` is the
    name the value is stored under, the flag's own unless it is another spelling. `default_note` is shown in the help.
    """

    __slots__ = ("default", "default_note", "dest", "hidden", "many", "name", "parse", "short", "type_name", "usage")

    def __init__(
        self,
        name: str,
        usage: str,
        *,
        short: str = "",
        type_name: str = "",
        parse: Parser = str,
        default: object = "",
        default_note: str = "",
        many: bool = False,
        hidden: bool = False,
        dest: str = "",
    ) -> None:
        self.name = name
        self.usage = usage
        self.short = short
        self.type_name = type_name
        self.parse = parse
        self.default = default
        self.default_note = default_note
        self.many = many
        self.hidden = hidden
        self.dest = dest or name

    @property
    def is_bool(self) -> bool:
        """Tell whether the flag stands alone, its value only after `=`."""
        return not self.type_name

    @property
    def title(self) -> str:
        """The flag as error messages name it: `-m, --memory`."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"


def switch(name: str, usage: str, short: str = "", *, default: bool = False, hidden: bool = False) -> Flag:
    """Declare a boolean flag."""
    note = "true" if default else ""
    return Flag(name, usage, short=short, parse=parse_bool, default=default, default_note=note, hidden=hidden)


def text(
    name: str,
    usage: str,
    short: str = "",
    *,
    default: str = "",
    type_name: str = "string",
    hidden: bool = False,
    dest: str = "",
) -> Flag:
    """Declare a flag that takes any text."""
    note = quoted(default) if default else ""
    return Flag(
        name, usage, short=short, type_name=type_name, default=default, default_note=note, hidden=hidden, dest=dest
    )


def integer(
    name: str,
    usage: str,
    short: str = "",
    *,
    default: int = 0,
    parse: Parser = parse_int,
    type_name: str = "int",
    hidden: bool = False,
    dest: str = "",
) -> Flag:
    """Declare a flag that takes a whole number."""
    note = str(default) if default else ""
    return Flag(
        name,
        usage,
        short=short,
        type_name=type_name,
        parse=parse,
        default=default,
        default_note=note,
        hidden=hidden,
        dest=dest,
    )


def listing(
    name: str,
    usage: str,
    short: str = "",
    *,
    parse: Parser = str,
    type_name: str = "list",
    default_note: str = "",
    hidden: bool = False,
    dest: str = "",
) -> Flag:
    """Declare a flag that may be repeated; its values are kept in order."""
    return Flag(
        name,
        usage,
        short=short,
        type_name=type_name,
        parse=parse,
        default=(),
        default_note=default_note,
        many=True,
        hidden=hidden,
        dest=dest,
    )


class Values:
    """What was given for each flag, and the defaults of those that were not."""

    __slots__ = ("_defaults", "_given")

    def __init__(self, flags: Iterable[Flag]) -> None:
        self._defaults = {flag.dest: flag.default for flag in flags}
        self._given: dict[str, object] = {}

    def store(self, flag: Flag, raw: str) -> None:
        """Parse and keep one value; raises ValueError with the reason."""
        value = flag.parse(raw)
        if flag.many:
            earlier = self._given.setdefault(flag.dest, [])
            assert isinstance(earlier, list)
            earlier.append(value)
        else:
            self._given[flag.dest] = value

    def given(self, name: str) -> bool:
        """Tell whether the flag was on the line."""
        return name in self._given

    def get(self, name: str) -> object:
        """The value, of whatever type the flag's parser returns."""
        return self._given[name] if name in self._given else self._defaults[name]

    def on(self, name: str) -> bool:
        """The value of a boolean flag."""
        return self.get(name) is True

    def text(self, name: str) -> str:
        """The value of a text flag."""
        value = self.get(name)
        assert isinstance(value, str), name
        return value

    def number(self, name: str) -> int:
        """The value of a flag that holds a whole number."""
        value = self.get(name)
        assert isinstance(value, int), name
        return value

    def texts(self, name: str) -> list[str]:
        """The values of a repeatable flag whose values stay text."""
        return [str(value) for value in self.items(name)]

    def items(self, name: str) -> list[object]:
        """The values of a repeatable flag."""
        value = self.get(name)
        assert isinstance(value, list | tuple), name
        return list(value)


class HelpRequested(Exception):
    """`--help` was on the line."""


def parse_flags(flags: Sequence[Flag], words: list[str], *, interspersed: bool = True) -> tuple[Values, list[str]]:
    """Split `words` into flag values and arguments.

    With `interspersed` off, the first word that is no flag ends the flags. Raises UsageError (status 125) in the words
    Docker uses, and HelpRequested.
    """
    by_name = {flag.name: flag for flag in flags}
    by_short = {flag.short: flag for flag in flags if flag.short}
    values = Values(flags)
    arguments: list[str] = []
    queue = list(reversed(words))
    while queue:
        word = queue.pop()
        if word == "--":
            break
        if len(word) < 2 or word[0] != "-":
            arguments.append(word)
            if not interspersed:
                break
        elif word[1] == "-":
            _take_long(by_name, values, word[2:], queue)
        else:
            _take_short(by_short, values, word[1:], queue)
    arguments.extend(reversed(queue))
    return values, arguments


def _take_long(by_name: dict[str, Flag], values: Values, body: str, queue: list[str]) -> None:
    name, equals, raw = body.partition("=")
    if not name or name[0] == "-":
        raise _wrong(f"bad flag syntax: --{body}")
    if name == "help":
        raise HelpRequested
    flag = by_name.get(name)
    if flag is None:
        raise _wrong(f"unknown flag: --{name}")
    if not equals:
        if flag.is_bool:
            raw = "true"
        elif queue:
            raw = queue.pop()
        else:
            raise _wrong(f"flag needs an argument: --{name}")
    _store(values, flag, raw)


def _take_short(by_short: dict[str, Flag], values: Values, letters: str, queue: list[str]) -> None:
    rest = letters
    while rest:
        letter, rest = rest[0], rest[1:]
        flag = by_short.get(letter)
        if flag is None:
            if letter == "h":
                raise HelpRequested
            raise _wrong(f"unknown shorthand flag: {_go_char(letter)} in -{letter}{rest}")
        if rest.startswith("="):
            raw, rest = rest[1:], ""
        elif flag.is_bool:
            raw = "true"
        elif rest:
            raw, rest = rest, ""
        elif queue:
            raw = queue.pop()
        else:
            raise _wrong(f"flag needs an argument: {_go_char(letter)} in -{letters}")
        _store(values, flag, raw)


def _store(values: Values, flag: Flag, raw: str) -> None:
    try:
        values.store(flag, raw)
    except ValueError as error:
        raise _wrong(f"invalid argument {quoted(raw)} for {quoted(flag.title)} flag: {error}") from None


def _go_char(letter: str) -> str:
    return f"'{letter}'"


def _wrong(message: str) -> UsageError:
    return UsageError(message, EXIT_ENGINE)
