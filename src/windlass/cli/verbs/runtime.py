"""`runtime`: the OCI runtime, the same as windlass-runtime."""

from __future__ import annotations

import sys

from windlass.cli.command import Command, anything

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(_context: Context, _values: Values, arguments: list[str]) -> int:
    """Hand the words over; its exit code is ours."""
    from windlass.runtime.main import main

    sys.argv = ["windlass-runtime", *arguments]
    return main() or 0


COMMAND = Command("[OPTIONS]", run, rule=anything, passes_flags=True)
