"""`top`: the processes of a container; without one, a full-screen view of all containers."""

from __future__ import annotations

import os

from windlass.cli.command import Command
from windlass.cli.context import STDIN, STDOUT
from windlass.cli.table import table
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

MIN_WIDTH = 20


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Print the processes as ps shows them, or show the view."""
    if not arguments:
        from windlass.cli.watching.view import View, global_options

        return View(context, global_options()).run()
    name, *ps_options = arguments
    query = {"ps_args": " ".join(ps_options)} if ps_options else {}
    found = context.engine.call("GET", f"/containers/{quote(name)}/top", query)
    assert isinstance(found, dict)
    context.out(table(list(found["Titles"]), [list(row) for row in found["Processes"] or ()], MIN_WIDTH))
    return 0


def _one_unless_at_a_terminal(count: int) -> str:
    """A container, as Docker wants it; a person at a terminal may leave it out."""
    return "" if count or (os.isatty(STDIN) and os.isatty(STDOUT)) else "requires at least 1 argument"


COMMAND = Command(
    "[CONTAINER [ps OPTIONS]]",
    run,
    rule=_one_unless_at_a_terminal,
    interspersed=False,
    about="""Display the running processes of a container

Without a container, and on a terminal: a live view of all containers, with their processor time, memory,
network and disk, that also opens logs and a shell. Press h in it for its keys.""",
    examples="""
windlass top
windlass top web -o pid,rss,args
""",
)
