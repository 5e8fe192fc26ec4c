"""`daemon`: the engine in the foreground, the same as windlassd."""

from __future__ import annotations

from windlass.cli.boot import replace_process
from windlass.cli.command import Command, anything

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(_context: Context, _values: Values, arguments: list[str]) -> int:
    """Become that program; does not return."""
    replace_process("windlass.daemon.main", "windlassd", arguments)


COMMAND = Command("[OPTIONS]", run, rule=anything, passes_flags=True)
