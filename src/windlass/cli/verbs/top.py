"""`top`: the processes of a container."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.table import table
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

MIN_WIDTH = 20


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Print the processes as ps shows them."""
    name, *ps_options = arguments
    query = {"ps_args": " ".join(ps_options)} if ps_options else {}
    found = context.engine.call("GET", f"/containers/{quote(name)}/top", query)
    assert isinstance(found, dict)
    context.out(table(list(found["Titles"]), [list(row) for row in found["Processes"] or ()], MIN_WIDTH))
    return 0


COMMAND = Command(
    "CONTAINER [ps OPTIONS]", run, rule=at_least(1), interspersed=False, examples="windlass top web -o pid,rss,args"
)
