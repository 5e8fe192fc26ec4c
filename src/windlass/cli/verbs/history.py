"""`history`: the steps an image was made in."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.flags import switch, text
from windlass.cli.listing import FORMAT_USAGE, show
from windlass.cli.platforms import PLATFORM_USAGE, platform_query
from windlass.cli.rows.history import HUMAN_COLUMNS, PLAIN_COLUMNS, HistoryRow
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """List the steps, the newest first."""
    query = platform_query(values.text("platform"))
    steps = context.engine.call("GET", f"/images/{quote(arguments[0])}/history", query)
    human, trunc = values.on("human"), not values.on("no-trunc")
    rows = [HistoryRow(step, trunc=trunc, human=human) for step in steps or ()]  # type: ignore[attr-defined]
    columns = HUMAN_COLUMNS if human else PLAIN_COLUMNS
    show(context, rows, HistoryRow, columns, values.text("format"), quiet=values.on("quiet"))
    return 0


COMMAND = Command(
    "[OPTIONS] IMAGE",
    run,
    rule=exactly(1),
    flags=(
        text("format", FORMAT_USAGE),
        switch("human", "Print sizes and dates in human readable format", "H", default=True),
        switch("no-trunc", "Don't truncate output"),
        text("platform", f"Show history for the given platform. {PLATFORM_USAGE}"),
        switch("quiet", "Only show image IDs", "q"),
    ),
    examples="windlass history windlass/busybox",
)
