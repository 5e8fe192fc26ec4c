"""`volume prune`: remove volumes no container uses."""

from __future__ import annotations

from windlass.cli.command import Command, none
from windlass.cli.confirming import confirmed
from windlass.cli.filters import filter_flag
from windlass.cli.flags import switch
from windlass.cli.pruning import prune_volumes, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

WARNING = "This will remove anonymous local volumes not used by at least one container."
WARNING_ALL = "This will remove all local volumes not used by at least one container."


def run(context: Context, values: Values, _arguments: list[str]) -> int:
    """Remove them, once confirmed."""
    every = values.on("all")
    if not values.on("force") and not confirmed(context, WARNING_ALL if every else WARNING):
        return 0
    report(context, [prune_volumes(context, values.items("filter"), every=every)])
    return 0


COMMAND = Command(
    "[OPTIONS]",
    run,
    rule=none,
    flags=(
        switch("all", "Remove all unused volumes, not just anonymous ones", "a"),
        filter_flag('Provide filter values (e.g. "label=<label>")', ""),
        switch("force", "Do not prompt for confirmation", "f"),
    ),
    examples="windlass volume prune -f",
)
