"""`doctor`: what this host offers, and what each absence costs."""

from __future__ import annotations

from windlass.cli.command import Command, anything

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(_context: Context, _values: Values, arguments: list[str]) -> int:
    """Hand the words over; its exit code is ours."""
    from windlass.cli.doctor import main

    return main(arguments)


COMMAND = Command("[OPTIONS]", run, rule=anything, passes_flags=True)
