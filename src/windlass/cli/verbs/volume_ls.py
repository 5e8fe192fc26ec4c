"""`volume ls`: list volumes."""

from __future__ import annotations

from windlass.cli.command import Command, none
from windlass.cli.filters import filter_flag, filters_query
from windlass.cli.flags import switch, text
from windlass.cli.listing import FORMAT_USAGE, show
from windlass.cli.rows.row import natural
from windlass.cli.rows.volume import COLUMNS, VolumeRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, _arguments: list[str]) -> int:
    """List the volumes by name."""
    answer = context.engine.call("GET", "/volumes", filters_query(values.items("filter")))
    assert isinstance(answer, dict)
    found = [item for item in answer.get("Volumes") or () if isinstance(item, dict)]
    found.sort(key=lambda item: natural(str(item["Name"])))
    rows = [VolumeRow(item, trunc=True) for item in found]
    template = values.text("format")
    if not template and not values.on("quiet"):
        template = context.config.text("volumesFormat")
    show(context, rows, VolumeRow, COLUMNS, template, quiet=values.on("quiet"))
    return 0


COMMAND = Command(
    "[OPTIONS]",
    run,
    rule=none,
    flags=(
        filter_flag('Provide filter values (e.g. "dangling=true")'),
        text("format", FORMAT_USAGE),
        switch("quiet", "Only display volume names", "q"),
    ),
    examples="windlass volume ls --format '{{.Name}} {{.Driver}}'",
)
