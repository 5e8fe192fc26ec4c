"""`container inspect`: everything the engine knows about containers."""

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
    """Print the containers' details."""
    query = {"size": "1"} if values.on("size") else {}

    def fetch(name: str) -> object:
        return context.engine.call("GET", f"/containers/{quote(name)}/json", query)

    return inspect(context, arguments, values.text("format"), fetch)


COMMAND = Command(
    "[OPTIONS] CONTAINER [CONTAINER...]",
    run,
    rule=at_least(1),
    flags=(text("format", INSPECT_FORMAT_USAGE, "f"), switch("size", "Display total file sizes", "s")),
    examples="windlass container inspect -f '{{.HostConfig.Memory}}' web",
)
