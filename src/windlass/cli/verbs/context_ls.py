"""`context ls`: list contexts."""

from __future__ import annotations

from windlass.cli.command import Command, none
from windlass.cli.contexts.store import DEFAULT, Store
from windlass.cli.errors import CliError
from windlass.cli.flags import switch, text
from windlass.cli.listing import FORMAT_USAGE, show
from windlass.cli.rows.context import COLUMNS, ContextRow
from windlass.cli.verbs.context_create import DEFAULT_DESCRIPTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

HOST_OVERRIDES = (
    "Warning: {} environment variable overrides the active context. To use a context, either set the global --context "
    "flag, or unset {} environment variable."
)


def run(context: Context, values: Values, _arguments: list[str]) -> int:
    """List the contexts by name, the one in use marked."""
    store, current = Store(context.config_dir), context.host.context_name
    found = [(stored.name, stored.description, stored.host, "") for stored in store.all()]
    found.append((DEFAULT, DEFAULT_DESCRIPTION, context.host.default_host, ""))
    if current not in [name for name, *_ in found]:
        found.append((current, "", "", _complaint(store, current)))
    names = ("Name", "Description", "DockerEndpoint", "Error")
    rows = [
        ContextRow({**dict(zip(names, item, strict=True)), "Current": item[0] == current}) for item in sorted(found)
    ]
    quiet = values.on("quiet")
    show(context, rows, ContextRow, COLUMNS, values.text("format"), quiet=quiet)
    variable = context.host.variable
    if variable and not quiet:
        context.warn(HOST_OVERRIDES.format(variable, variable))
    return 0


def _complaint(store: Store, name: str) -> str:
    try:
        store.get(name)
    except CliError as error:
        return error.message
    return ""


COMMAND = Command(
    "[OPTIONS]",
    run,
    rule=none,
    needs_engine=False,
    flags=(text("format", FORMAT_USAGE), switch("quiet", "Only show context names", "q")),
    examples="windlass context ls --format '{{.Name}} {{.DockerEndpoint}}'",
)
