"""`network inspect`: everything the engine knows about networks."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.flags import switch, text
from windlass.cli.inspecting import inspect
from windlass.cli.listing import INSPECT_FORMAT_USAGE
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Print the networks' details."""
    query = {"verbose": "true"} if values.on("verbose") else {}

    def fetch(name: str) -> object:
        return context.engine.call("GET", f"/networks/{quote(name)}", query)

    return inspect(context, arguments, values.text("format"), fetch)


COMMAND = Command(
    "[OPTIONS] NETWORK [NETWORK...]",
    run,
    rule=at_least(1),
    flags=(text("format", INSPECT_FORMAT_USAGE, "f"), switch("verbose", "Verbose output for diagnostics", "v")),
    examples="windlass network inspect my-network",
)
