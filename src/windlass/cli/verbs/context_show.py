"""`context show`: the name of the context in use."""

from __future__ import annotations

from windlass.cli.command import Command, none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, _values: Values, _arguments: list[str]) -> int:
    """Print the name."""
    context.print(context.host.context_name)
    return 0


COMMAND = Command("", run, rule=none, needs_engine=False)
