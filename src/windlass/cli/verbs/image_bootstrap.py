"""`image bootstrap`: build the default images on this host."""

from __future__ import annotations

from windlass.cli.command import Command, anything
from windlass.cli.context import STDOUT
from windlass.cli.progress import show_progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Build the named images, or all of them, and show the engine's progress."""
    query = {"name": arguments} if arguments else {}
    answer = context.engine.stream("POST", "/windlass/images/bootstrap", query)
    show_progress(answer.lines(), STDOUT)
    return 0


COMMAND = Command(
    "[NAME...]",
    run,
    rule=anything,
    about="""Build the default images from packages of this host's distribution, with no registry in reach

windlass/hello ships with the program. windlass/busybox and windlass/debian:bookworm are
made from signed Debian packages; 'run' does the same when it needs one of them.""",
    examples="""
windlass image bootstrap
windlass image bootstrap windlass/busybox
""",
)
