"""`pause`: freeze every process of containers."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.each import for_each
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values
    from windlass.client.engine import Engine


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Pause every container."""

    def pause(engine: Engine, name: str) -> str:
        engine.call("POST", f"/containers/{quote(name)}/pause")
        return name

    return for_each(context, arguments, pause, parallel=True)


COMMAND = Command("CONTAINER [CONTAINER...]", run, rule=at_least(1), examples="windlass pause web worker")
