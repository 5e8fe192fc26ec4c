"""`load`: images from a tar archive."""

from __future__ import annotations

import os

from windlass.cli.command import Command, none
from windlass.cli.context import STDIN, STDOUT
from windlass.cli.errors import CliError
from windlass.cli.flags import switch, text
from windlass.cli.platforms import PLATFORM_USAGE, platform_query
from windlass.cli.progress import show_progress
from windlass.cli.transfer import file_pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, _arguments: list[str]) -> int:
    """Send the archive and print the names of what it held."""
    path = values.text("input")
    if not path and os.isatty(STDIN):
        raise CliError("requested load from stdin, but stdin is empty")
    quiet = values.on("quiet") or not os.isatty(STDOUT)
    query = {"quiet": "1" if quiet else "0", **platform_query(values.text("platform"))}
    answer = context.engine.stream(
        "POST", "/images/load", query, headers={"Content-Type": "application/x-tar"}, upload=file_pieces(path or "-")
    )
    show_progress(answer.lines(), STDOUT)
    return 0


COMMAND = Command(
    "[OPTIONS]",
    run,
    rule=none,
    flags=(
        text("input", "Read from tar archive file, instead of STDIN", "i"),
        text("platform", f"Load only the given platform variant. {PLATFORM_USAGE}"),
        switch("quiet", "Suppress the load output", "q"),
    ),
    examples="windlass load -i app.tar",
)
