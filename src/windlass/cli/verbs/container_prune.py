"""`container prune`: remove stopped containers."""

from __future__ import annotations

from windlass.cli.command import Command, none
from windlass.cli.confirming import confirmed
from windlass.cli.filters import filter_flag
from windlass.cli.flags import switch
from windlass.cli.pruning import prune_containers, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

WARNING = "This will remove all stopped containers."


def run(context: Context, values: Values, _arguments: list[str]) -> int:
    """Remove them, once confirmed."""
    if not values.on("force") and not confirmed(context, WARNING):
        return 0
    report(context, [prune_containers(context, values.items("filter"))])
    return 0


COMMAND = Command(
    "[OPTIONS]",
    run,
    rule=none,
    flags=(
        filter_flag('Provide filter values (e.g. "until=<timestamp>")', ""),
        switch("force", "Do not prompt for confirmation", "f"),
    ),
    examples="windlass container prune -f",
)
