"""`network disconnect`: detach a container from a network."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.flags import switch
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Detach the container."""
    network, container = arguments
    body = {"Container": container, "Force": values.on("force")}
    context.engine.call("POST", f"/networks/{quote(network)}/disconnect", body=body)
    return 0


COMMAND = Command(
    "[OPTIONS] NETWORK CONTAINER",
    run,
    rule=exactly(2),
    flags=(switch("force", "Force the container to disconnect from a network", "f"),),
    examples="windlass network disconnect backend postgres",
)
