"""`restart`: stop and start containers again."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.ending import FLAGS, end_each

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Restart every container, all at once."""
    return end_each(context, values, arguments, "restart")


COMMAND = Command(
    "[OPTIONS] CONTAINER [CONTAINER...]",
    run,
    rule=at_least(1),
    flags=FLAGS,
    examples="windlass restart -t 30 web",
)
