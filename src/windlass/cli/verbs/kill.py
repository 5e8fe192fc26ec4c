"""`kill`: send a signal."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.each import for_each
from windlass.cli.flags import text
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values
    from windlass.client.engine import Engine


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Send the signal to every container."""
    signal = values.text("signal")

    def kill(engine: Engine, name: str) -> str:
        engine.call("POST", f"/containers/{quote(name)}/kill", {"signal": signal} if signal else {})
        return name

    return for_each(context, arguments, kill, parallel=True)


COMMAND = Command(
    "[OPTIONS] CONTAINER [CONTAINER...]",
    run,
    rule=at_least(1),
    flags=(text("signal", "Signal to send to the container", "s"),),
    examples="windlass kill -s HUP web",
)
