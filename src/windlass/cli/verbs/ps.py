"""`ps`: list containers."""

from __future__ import annotations

from windlass.cli.command import Command, none
from windlass.cli.filters import filter_flag, filters_query
from windlass.cli.flags import integer, switch, text
from windlass.cli.listing import FORMAT_USAGE, show
from windlass.cli.rows.container import COLUMNS, ContainerRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

RAW = """container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{- pad .State 1 0}}
status: {{- pad .Status 1 0}}
names: {{.Names}}
labels: {{- pad .Labels 1 0}}
ports: {{- pad .Ports 1 0}}
"""


def run(context: Context, values: Values, _arguments: list[str]) -> int:
    """List the containers."""
    template = values.text("format")
    if not template and not values.on("quiet"):
        template = context.config.text("psFormat")
    with_size = values.on("size") or ".Size" in template or _shows_all(template)
    limit = 1 if values.on("latest") else values.number("last")
    query = filters_query(values.items("filter"))
    if values.on("all"):
        query["all"] = "1"
    if limit > 0:
        query["limit"] = str(limit)
    if with_size:
        query["size"] = "1"
    containers = context.engine.call("GET", "/containers/json", query)
    trunc = not values.on("no-trunc")
    rows = [ContainerRow(item, trunc=trunc) for item in containers or () if isinstance(item, dict)]  # type: ignore[attr-defined]
    columns = (*COLUMNS, "Size") if values.on("size") else COLUMNS
    if template == "raw":
        template = RAW + ("size: {{.Size}}\n" if values.on("size") else "")
    show(context, rows, ContainerRow, columns, template, quiet=values.on("quiet"))
    return 0


def _shows_all(template: str) -> bool:
    """Tell whether a template prints every field, the sizes too, by `json .`."""
    return any(rest.lstrip()[:1] in ("}", "|", ")", "-") for rest in template.split("json .")[1:])


COMMAND = Command(
    "[OPTIONS]",
    run,
    rule=none,
    flags=(
        switch("all", "Show all containers (default shows just running)", "a"),
        filter_flag(),
        text("format", FORMAT_USAGE),
        integer("last", "Show n last created containers (includes all states)", "n", default=-1),
        switch("latest", "Show the latest created container (includes all states)", "l"),
        switch("no-trunc", "Don't truncate output"),
        switch("quiet", "Only display container IDs", "q"),
        switch("size", "Display total file sizes", "s"),
    ),
    examples="""
windlass ps -a --filter status=exited
windlass ps --format 'table {{.Names}}\\t{{.Status}}'
""",
)
