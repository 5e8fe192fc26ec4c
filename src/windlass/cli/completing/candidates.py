"""From the words of an unfinished command line to what the last of them could become."""

from __future__ import annotations

from windlass.cli.commands import VERBS, load, resolve
from windlass.cli.completing.scanning import Scan, next_words, scan
from windlass.cli.completing.tables import ARGUMENTS, FILTER_KINDS, FILTER_WORDS, FILTERS, FLAG_KINDS, FLAG_WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from windlass.cli.completing.names import Names
    from windlass.cli.flags import Flag, Values

    NamesOf = Callable[[Values], Names]

# What a shell does with the candidates, the numbers of cobra's protocol: no blank after them; no files besides them.
FILES, NO_SPACE, NO_FILES = 0, 2, 4


class Found:
    """Candidates as (word, description), and what the shell is to do with them."""

    __slots__ = ("directive", "words")

    def __init__(self, words: Iterable[tuple[str, str]], directive: int) -> None:
        self.words = list(words)
        self.directive = directive


def complete(words: list[str], global_flags: Sequence[Flag], names_of: NamesOf) -> Found:
    """Complete the last of `words`, the others before it; `names_of` gives the names on the engine they choose."""
    *before, current = words or [""]
    outer = scan(global_flags, before, interspersed=False)
    if not outer.ended or outer.pending is not None:
        return _word("", outer, global_flags, current, lambda: names_of(outer.values), next_words([]))
    canonical, _, rest = resolve(outer.arguments)
    if canonical not in VERBS:
        return _matching(next_words(outer.arguments), current, NO_FILES)
    command = load(canonical)
    if command.passes_flags:
        return Found([], FILES)
    inner = scan(command.flags, rest, interspersed=command.interspersed)
    return _word(canonical, inner, command.flags, current, lambda: names_of(outer.values), None)


def _word(
    verb: str,
    before: Scan,
    flags: Sequence[Flag],
    current: str,
    names: Callable[[], Names],
    commands: list[tuple[str, str]] | None,
) -> Found:
    if before.pending is not None:
        return _flag_value(verb, before.pending, current, names)
    if current.startswith("-") and not before.ended:
        name, equals, value = current.partition("=")
        if not equals:
            return _matching(_flags(flags), current, NO_FILES)
        flag = next((flag for flag in flags if f"--{flag.name}" == name), None)
        if flag is None:
            return Found([], NO_FILES)
        found = _flag_value(verb, flag, value, names)
        return Found([(f"{name}={word}", about) for word, about in found.words], found.directive)
    if commands is not None:
        return _matching(commands, current, NO_FILES)
    return _argument(verb, before.arguments, current, names)


def _flags(flags: Sequence[Flag]) -> list[tuple[str, str]]:
    shown = [(f"--{flag.name}", flag.usage.partition("\n")[0]) for flag in flags if not flag.hidden]
    return [*sorted(shown), ("--help", "Print usage")]


def _argument(verb: str, arguments: list[str], current: str, names: Callable[[], Names]) -> Found:
    kinds, repeats = ARGUMENTS.get(verb, ((), False))
    index = len(arguments)
    if verb == "completion" and not index:
        return _plain(("bash", "fish", "zsh"), current, NO_FILES)
    if index >= len(kinds) and not (kinds and repeats):
        return Found([], FILES if verb in ("image load", "container cp") else NO_FILES)
    kind = kinds[min(index, len(kinds) - 1)]
    found = _of_kind(kind, current, names)
    return Found([pair for pair in found.words if pair[0] not in arguments], found.directive)


def _of_kind(kind: str, current: str, names: Callable[[], Names]) -> Found:
    if kind == "file":
        return Found([], FILES)
    if kind == "copy":
        words = [f"{name}:" for name in names().of("container")] if "/" not in current else []
        return _plain(words, current, NO_SPACE)
    if kind == "mountable":
        words = [f"{name}:" for name in names().of("volume")] if "/" not in current else []
        return _plain(words, current, NO_SPACE)
    return _plain(names().of(kind), current, NO_FILES)


def _flag_value(verb: str, flag: Flag, current: str, names: Callable[[], Names]) -> Found:
    if flag.name == "filter":
        return _filter(verb, current, names)
    kind = FLAG_KINDS.get(flag.name)
    if kind is not None and not (kind == "context" and verb and flag.name == "context"):
        return _of_kind(kind, current, names)
    words = list(FLAG_WORDS.get(flag.name, ()))
    if flag.name in ("ipc", "pid") and current.startswith("container:"):
        words = [f"container:{name}" for name in names().of("running")]
    open_ended = any(word.endswith(":") for word in words)
    return _plain(words, current, NO_FILES | (NO_SPACE if open_ended else 0))


def _filter(verb: str, current: str, names: Callable[[], Names]) -> Found:
    key, equals, value = current.partition("=")
    if not equals:
        return _plain(FILTERS.get(verb, ()), current, NO_SPACE | NO_FILES)
    values: Iterable[str] = FILTER_WORDS.get(key, ())
    if not values and key in FILTER_KINDS:
        values = names().of(FILTER_KINDS[key])
    return _plain([f"{key}={word}" for word in values], f"{key}={value}", NO_FILES)


def _plain(words: Iterable[str], current: str, directive: int) -> Found:
    return _matching(((word, "") for word in words), current, directive)


def _matching(words: Iterable[tuple[str, str]], current: str, directive: int) -> Found:
    return Found((pair for pair in words if pair[0].startswith(current)), directive)
