"""What a verb is: its usage, flags and arguments, and the function that runs it."""

from __future__ import annotations

from windlass.cli.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windlass.cli.context import Context
    from windlass.cli.flags import Flag, Values

    ArgumentRule = Callable[[int], str]
    Action = Callable[[Context, Values, list[str]], int]


class Command:
    """One verb.

    `usage` is what follows the verb's name on the usage line; `rule` judges the number of arguments; `run` does the
    work and returns the exit code. `about` is the long description where the one-line summary does not suffice.
    `engine_status` is the exit code of engine errors. With `passes_flags` all words are handed over unread;
    without `needs_engine` the command runs even when the context in use leads nowhere.
    """

    __slots__ = (
        "about",
        "engine_status",
        "examples",
        "flags",
        "interspersed",
        "needs_engine",
        "passes_flags",
        "rule",
        "run",
        "usage",
    )

    def __init__(
        self,
        usage: str,
        run: Action,
        *,
        flags: Sequence[Flag] = (),
        rule: ArgumentRule,
        interspersed: bool = True,
        about: str = "",
        examples: str = "",
        engine_status: int = 1,
        passes_flags: bool = False,
        needs_engine: bool = True,
    ) -> None:
        self.usage = usage
        self.run = run
        self.flags = flags
        self.rule = rule
        self.interspersed = interspersed
        self.about = about
        self.examples = examples
        self.engine_status = engine_status
        self.passes_flags = passes_flags
        self.needs_engine = needs_engine

    def check_arguments(self, path: str, arguments: list[str]) -> None:
        """Raise UsageError unless the number of arguments suits."""
        complaint = self.rule(len(arguments))
        if complaint:
            open_ended = complaint.startswith("requires at least") and "at most" not in complaint
            raise UsageError(f"windlass: '{path}' {complaint}", hint="See" if open_ended else "Run")


def _plural(count: int) -> str:
    return f"{count} argument" if count == 1 else f"{count} arguments"


def none(count: int) -> str:
    """No argument."""
    return "accepts no arguments" if count else ""


def exactly(number: int) -> ArgumentRule:
    """As many arguments as `number`."""
    return lambda count: "" if count == number else f"requires {_plural(number)}"


def at_least(number: int) -> ArgumentRule:
    """`number` arguments or more."""
    return lambda count: "" if count >= number else f"requires at least {_plural(number)}"


def at_most(number: int) -> ArgumentRule:
    """`number` arguments or fewer."""
    return lambda count: "" if count <= number else f"requires at most {_plural(number)}"


def between(low: int, high: int) -> ArgumentRule:
    """From `low` to `high` arguments."""
    return lambda count: "" if low <= count <= high else f"requires at least {low} and at most {_plural(high)}"


def anything(_count: int) -> str:
    """Any number of arguments."""
    return ""
