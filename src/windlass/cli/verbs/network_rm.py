"""`network rm`: remove networks."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.flags import switch
from windlass.client.errors import ApiError
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

NOT_FOUND = 404


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Remove every network; with --force a missing one is no failure."""
    status = 0
    for name in arguments:
        try:
            context.engine.call("DELETE", f"/networks/{quote(name)}")
        except ApiError as error:
            if values.on("force") and error.status == NOT_FOUND:
                continue
            context.warn(str(error))
            status = 1
        else:
            context.print(name)
    if status:
        context.warn(f"exit status {status}")
    return status


COMMAND = Command(
    "NETWORK [NETWORK...]",
    run,
    rule=at_least(1),
    flags=(switch("force", "Do not error if the network does not exist", "f"),),
    examples="windlass network rm backend",
)
