"""`diff`: what a container has changed in its filesystem."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

KINDS = "CAD"


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Print one line for every path: A added, C changed, D deleted."""
    changes = context.engine.call("GET", f"/containers/{quote(arguments[0])}/changes")
    lines = [f"{KINDS[change['Kind']]} {change['Path']}\n" for change in changes or ()]  # type: ignore[attr-defined]
    context.out("".join(lines))
    return 0


COMMAND = Command("CONTAINER", run, rule=exactly(1), examples="windlass diff web")
