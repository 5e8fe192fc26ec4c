"""`stop`: stop running containers."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.ending import FLAGS, end_each

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Stop every container, all at once."""
    return end_each(context, values, arguments, "stop")


COMMAND = Command(
    "[OPTIONS] CONTAINER [CONTAINER...]",
    run,
    rule=at_least(1),
    flags=FLAGS,
    examples="windlass stop -t 30 web",
)
