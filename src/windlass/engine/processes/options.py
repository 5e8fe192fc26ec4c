"""What the options of `ps` ask for: columns, an order, a choice.

Source: ps(1). Which processes there are is the container's matter: options that choose among terminals and sessions of
the host (`-e`, `a`, `x`) change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from windlass.base.errors import InvalidParameter
from windlass.engine.processes.columns import COLUMNS, Column

_UNIX = {
    "f": "user=UID pid ppid c stime tname time cmd",
    "F": "user=UID pid ppid c sz rss psr stime tname time cmd",
    "l": "f s uid pid ppid c opri ni addr sz wchan tname time comm=CMD",
    "j": "pid pgid sid tname time comm=CMD",
    "": "pid tname time comm=CMD",
}
_BSD = {
    "u": "user pid %cpu %mem vsz rss tname stat start_time bsdtime=TIME args",
    "l": "f uid pid ppid priority ni vsz rss wchan stat tname bsdtime args",
    "j": "ppid pid pgid sid tname tpgid stat uid bsdtime args",
    "v": "pid tname stat bsdtime maj_flt trs drs rss %mem args",
    "": "pid tname stat bsdtime args",
}
_IGNORED_UNIX = frozenset("eAadxwHy")
_IGNORED_BSD = frozenset("axewfg")
_IGNORED_LONG = frozenset(("forest", "headers", "no-headers", "no-heading", "cumulative"))
_CHOICES = {"p": "pid", "C": "comm", "u": "user", "U": "ruser"}
_LONG_CHOICES = {"pid": "pid", "ppid": "ppid", "user": "user", "User": "ruser"}


@dataclass(slots=True)
class View:
    """What is shown: columns, keys to sort by (`-` first for descending), and by column the values that are wanted."""

    columns: list[Column] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    choice: dict[str, set[str]] = field(default_factory=dict)
    threads: bool = False


def parse_options(text: str) -> View:
    """Return what options of `ps` ask for; none are `-ef`, as in dockerd.

    Raises:
        InvalidParameter: an option or a column that there is not.
    """
    parser = _Parser(text.split() or ["-ef"])
    return parser.view()


class _Parser:
    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._view = View()
        self._style = ""
        self._thread = "lwp"
        self._bsd = False
        self._formats: list[Column] = []
        self._around = False

    def view(self) -> View:
        while self._words:
            word = self._words.pop(0)
            if word.startswith("--"):
                self._long(word[2:])
            elif word == "-aux" or not word.startswith("-"):
                self._letters(word.removeprefix("-"), bsd=True)
            else:
                self._letters(word[1:], bsd=False)
        self._view.columns = self._columns()
        return self._view

    def _columns(self) -> list[Column]:
        if self._around:
            return [*parse_format("pid"), *self._formats, *parse_format("s,tname,time,args")]
        if self._formats:
            return self._formats
        text = (_BSD if self._bsd else _UNIX)[self._style]
        if self._view.threads:
            full = self._style in ("f", "F") and not self._bsd
            text = text.replace("ppid c", "ppid lwp c nlwp") if full else text.replace("pid", f"pid {self._thread}", 1)
        return [column for part in text.split() for column in parse_format(part)]

    def _letters(self, letters: str, *, bsd: bool) -> None:
        self._bsd |= bsd and not letters.isdecimal()
        if bsd and letters.replace(",", "").isdecimal():
            self._choose("pid", letters)
            return
        for position, letter in enumerate(letters):
            if self._with_value(letter, letters[position + 1 :], bsd=bsd):
                return
            self._plain(letter, bsd=bsd)

    def _plain(self, letter: str, *, bsd: bool) -> None:
        if letter in ("HLm" if bsd else "LT"):
            self._view.threads = True
            self._thread = "spid" if letter == "T" else "lwp"
        elif letter in (_BSD if bsd else _UNIX):
            self._style = letter
        elif letter not in (_IGNORED_BSD if bsd else _IGNORED_UNIX):
            raise InvalidParameter(f"ps: option {letter!r} is not supported")

    def _with_value(self, letter: str, rest: str, *, bsd: bool) -> bool:
        """Take a letter that has a value: the rest of its word, or the next word."""
        if letter in "oO":
            self._formats += parse_format(self._value(letter, rest))
            self._around |= letter == "O"
        elif letter == "k" and bsd:
            self._sort(self._value(letter, rest))
        elif letter in "pU" if bsd else letter in _CHOICES:
            self._choose("user" if bsd and letter == "U" else _CHOICES[letter], self._value(letter, rest))
        else:
            return False
        return True

    def _value(self, option: str, rest: str) -> str:
        if not rest and not self._words:
            raise InvalidParameter(f"ps: option {option!r} needs a value")
        return rest or self._words.pop(0)

    def _long(self, word: str) -> None:
        name, equals, value = word.partition("=")
        if name in _IGNORED_LONG:
            return
        if name not in ("format", "sort", *_LONG_CHOICES):
            raise InvalidParameter(f"ps: option --{name} is not supported")
        value = value if equals else self._value(name, "")
        if name == "format":
            self._formats += parse_format(value)
        elif name == "sort":
            self._sort(value)
        else:
            self._choose(_LONG_CHOICES[name], value)

    def _sort(self, keys: str) -> None:
        for key in keys.split(","):
            _column(key.lstrip("+-"))
            self._view.order.append(key)

    def _choose(self, column: str, values: str) -> None:
        self._view.choice.setdefault(column, set()).update(values.split(","))


def parse_format(text: str) -> list[Column]:
    """Return the columns of a format: `pid,comm=NAME`; a title takes the rest.

    Raises:
        InvalidParameter: there is no such column.
    """
    names, equals, title = text.partition("=")
    columns = [_column(name) for name in names.replace(",", " ").split()]
    if not columns:
        raise InvalidParameter("ps: empty format list")
    if equals:
        columns[-1] = Column(title, columns[-1].write)
    return columns


def _column(name: str) -> Column:
    try:
        return COLUMNS[name]
    except KeyError:
        raise InvalidParameter(f'ps: unknown user-defined format specifier "{name}"') from None
