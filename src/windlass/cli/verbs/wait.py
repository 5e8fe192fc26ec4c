"""`wait`: block until containers have ended."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.each import for_each
from windlass.cli.waiting import Waiter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values
    from windlass.client.engine import Engine


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Wait for every container in turn and print its exit code."""

    def wait(engine: Engine, name: str) -> str:
        return str(Waiter(engine, name, "").status())

    return for_each(context, arguments, wait)


COMMAND = Command("CONTAINER [CONTAINER...]", run, rule=at_least(1), examples="windlass wait job")
