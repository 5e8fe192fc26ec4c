"""`ns`: the namespaces and the processes of containers."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.flags import switch, text
from windlass.cli.listing import FORMAT_USAGE, TABLE, show
from windlass.cli.rows.namespace import NAMESPACE_COLUMNS, PROCESS_COLUMNS, NamespaceRow, ProcessRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """List a line for each namespace or process; with --quiet only pids of the host."""
    query: dict[str, str | list[str]] = {"container": arguments} if arguments else {}
    answer = context.engine.call("GET", "/windlass/namespaces", query)
    found = [item for item in answer or () if isinstance(item, dict)]  # type: ignore[attr-defined]
    template, quiet, trunc = values.text("format"), values.on("quiet"), not values.on("no-trunc")
    if values.on("processes"):
        rows = [ProcessRow(item, part, trunc=trunc) for item in found for part in item["Processes"]]
        show(context, rows, ProcessRow, PROCESS_COLUMNS, template, quiet=quiet)
        return 0
    if quiet and template in ("", TABLE):
        context.out("".join(f"{item['Pid']}\n" for item in found))
        return 0
    kind = values.text("type")
    parts = [(item, part) for item in found for part in item["Namespaces"] if kind in ("", part["Type"])]
    show(context, [NamespaceRow(*pair, trunc=trunc) for pair in parts], NamespaceRow, NAMESPACE_COLUMNS, template)
    return 0


COMMAND = Command(
    "[OPTIONS] [CONTAINER...]",
    run,
    rule=at_least(0),
    flags=(
        text("format", FORMAT_USAGE),
        switch("no-trunc", "Don't truncate output"),
        switch("processes", "List processes instead of namespaces", "p"),
        switch("quiet", "Only display pids on the host", "q"),
        text("type", "Only list namespaces of this type (cgroup, ipc, mnt, net, pid, time, user, uts)", "t"),
    ),
    examples="""
windlass ns web
nsenter -a -t "$(windlass ns -q web)"
windlass ns -p --format '{{.Name}} {{.PID}} {{.Command}}'
""",
)
