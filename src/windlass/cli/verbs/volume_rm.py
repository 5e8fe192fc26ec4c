"""`volume rm`: remove volumes."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.each import for_each
from windlass.cli.flags import switch
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values
    from windlass.client.engine import Engine


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Remove every volume."""
    query = {"force": "1"} if values.on("force") else {}

    def remove(engine: Engine, name: str) -> str:
        engine.call("DELETE", f"/volumes/{quote(name)}", query)
        return name

    return for_each(context, arguments, remove)


COMMAND = Command(
    "[OPTIONS] VOLUME [VOLUME...]",
    run,
    rule=at_least(1),
    about="Remove one or more volumes. You cannot remove a volume that is in use by a container.",
    flags=(switch("force", "Force the removal of one or more volumes", "f"),),
    examples="windlass volume rm cache",
)
