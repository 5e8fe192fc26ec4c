"""What `stop` and `restart` share: a signal, a time to wait, and all containers at once."""

from __future__ import annotations

from windlass.cli.each import for_each
from windlass.cli.flags import integer, text
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values
    from windlass.client.engine import Engine

FLAGS = (
    text("signal", "Signal to send to the container", "s"),
    integer("timeout", "Seconds to wait before killing the container", "t"),
    integer("time", "Seconds to wait before killing the container", hidden=True, dest="timeout"),
)


def end_each(context: Context, values: Values, names: list[str], operation: str) -> int:
    """Ask for `operation` (a path's last part) on every container, all at once; return the exit code."""
    query = {"signal": values.text("signal")} if values.text("signal") else {}
    if values.given("timeout"):
        query["t"] = str(values.number("timeout"))

    def end(engine: Engine, name: str) -> str:
        engine.call("POST", f"/containers/{quote(name)}/{operation}", query)
        return name

    return for_each(context, names, end, parallel=True)
