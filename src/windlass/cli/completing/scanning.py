"""What an unfinished command line says so far: the verb, its arguments, and what the word at the cursor would be."""

from __future__ import annotations

from windlass.cli.commands import GROUPS, VERBS, resolve
from windlass.cli.flags import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.cli.flags import Flag


class Scan:
    """The words before the cursor, read as far as they can be.

    `pending` is the flag whose value stands at the cursor, `ended` tells that no flag can follow any more.
    """

    __slots__ = ("arguments", "ended", "pending", "values")

    def __init__(self, flags: Sequence[Flag]) -> None:
        self.values = Values(flags)
        self.arguments: list[str] = []
        self.pending: Flag | None = None
        self.ended = False


def scan(flags: Sequence[Flag], words: list[str], *, interspersed: bool = True) -> Scan:
    """Read `words`, forgiving what is wrong or unfinished; with `interspersed` off they end at the first argument."""
    result = Scan(flags)
    for index, word in enumerate(words):
        if result.pending is not None:
            _store(result.values, result.pending, word)
            result.pending = None
        elif result.ended:
            result.arguments.append(word)
        elif word == "--":
            result.ended = True
        elif len(word) > 1 and word[0] == "-":
            result.pending = _take_flag(flags, result.values, word)
        else:
            result.arguments += words[index:] if not interspersed else [word]
            result.ended = not interspersed
            if result.ended:
                break
    return result


def _take_flag(flags: Sequence[Flag], values: Values, word: str) -> Flag | None:
    """Read one word of flags; returns the flag whose value is to follow."""
    if word.startswith("--"):
        name, equals, raw = word[2:].partition("=")
        flag = next((flag for flag in flags if flag.name == name), None)
        if flag is None or (not equals and not flag.is_bool):
            return flag
        _store(values, flag, raw if equals else "true")
        return None
    for index, letter in enumerate(word[1:], 2):
        flag = next((flag for flag in flags if flag.short == letter), None)
        if flag is None:
            return None
        if not flag.is_bool:
            rest = word[index:]
            if not rest:
                return flag
            _store(values, flag, rest.removeprefix("="))
            return None
    return None


def _store(values: Values, flag: Flag, raw: str) -> None:
    try:
        values.store(flag, raw)
    except ValueError:
        return  # still being typed, or wrong: the command itself will say so


def next_words(words: list[str]) -> list[tuple[str, str]]:
    """Return the commands that may follow `words`, as (word, summary), when those stop short of a verb."""
    canonical, _, rest = resolve(words)
    if canonical in GROUPS and not rest:
        prefix = f"{canonical} "
        return [(path.removeprefix(prefix), about) for path, (_, about) in VERBS.items() if path.startswith(prefix)]
    if words:
        return []
    from windlass.cli.commands import TOP

    tops = {word: VERBS[path][1] for word, path in TOP.items()}
    plain = {path: about for path, (_, about) in VERBS.items() if " " not in path and path[0] != "_"}
    return sorted({**GROUPS, **tops, **plain}.items())
