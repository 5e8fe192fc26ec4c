"""`stop`: stop running containers."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.each import for_each
from windlass.cli.flags import integer, text
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values
    from windlass.client.engine import Engine


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Stop every container, all at once."""
    query = {"signal": values.text("signal")} if values.text("signal") else {}
    if values.given("timeout"):
        query["t"] = str(values.number("timeout"))

    def stop(engine: Engine, name: str) -> str:
        engine.call("POST", f"/containers/{quote(name)}/stop", query)
        return name

    return for_each(context, arguments, stop, parallel=True)


COMMAND = Command(
    "[OPTIONS] CONTAINER [CONTAINER...]",
    run,
    rule=at_least(1),
    flags=(
        text("signal", "Signal to send to the container", "s"),
        integer("timeout", "Seconds to wait before killing the container", "t"),
        integer("time", "Seconds to wait before killing the container", hidden=True, dest="timeout"),
    ),
    examples="windlass stop -t 30 web",
)
