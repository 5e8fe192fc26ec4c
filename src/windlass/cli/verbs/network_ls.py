"""`network ls`: list networks."""

from __future__ import annotations

from windlass.cli.command import Command, none
from windlass.cli.filters import filter_flag, filters_query
from windlass.cli.flags import switch, text
from windlass.cli.listing import FORMAT_USAGE, show
from windlass.cli.rows.network import COLUMNS, NetworkRow
from windlass.cli.rows.row import natural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, _arguments: list[str]) -> int:
    """List the networks by name."""
    networks = context.engine.call("GET", "/networks", filters_query(values.items("filter")))
    found = [item for item in networks or () if isinstance(item, dict)]  # type: ignore[attr-defined]
    found.sort(key=lambda item: natural(str(item["Name"])))
    rows = [NetworkRow(item, trunc=not values.on("no-trunc")) for item in found]
    template = values.text("format")
    if not template and not values.on("quiet"):
        template = context.config.text("networksFormat")
    show(context, rows, NetworkRow, COLUMNS, template, quiet=values.on("quiet"))
    return 0


COMMAND = Command(
    "[OPTIONS]",
    run,
    rule=none,
    flags=(
        filter_flag('Provide filter values (e.g. "driver=bridge")'),
        text("format", FORMAT_USAGE),
        switch("no-trunc", "Do not truncate the output"),
        switch("quiet", "Only display network IDs", "q"),
    ),
    examples="windlass network ls --format '{{.Name}} {{.Driver}}'",
)
