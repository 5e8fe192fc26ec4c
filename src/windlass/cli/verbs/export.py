"""`export`: a container's filesystem as a tar archive."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.flags import text
from windlass.cli.transfer import check_output, write_output
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Write the archive to stdout or a file."""
    output = values.text("output")
    check_output(output, "export")
    answer = context.engine.stream("GET", f"/containers/{quote(arguments[0])}/export")
    write_output(answer.chunks(), output)
    return 0


COMMAND = Command(
    "[OPTIONS] CONTAINER",
    run,
    rule=exactly(1),
    flags=(text("output", "Write to a file, instead of STDOUT", "o"),),
    examples="windlass export web | tar -t",
)
