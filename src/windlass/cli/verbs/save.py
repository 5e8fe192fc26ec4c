"""`save`: images as a tar archive."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.flags import text
from windlass.cli.platforms import PLATFORM_USAGE, platform_query
from windlass.cli.transfer import check_output, write_output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Write the archive to stdout or a file."""
    output = values.text("output")
    check_output(output, "save")
    query: dict[str, str | list[str]] = {"names": arguments, **platform_query(values.text("platform"))}
    answer = context.engine.stream("GET", "/images/get", query)
    write_output(answer.chunks(), output)
    return 0


COMMAND = Command(
    "[OPTIONS] IMAGE [IMAGE...]",
    run,
    rule=at_least(1),
    flags=(
        text("output", "Write to a file, instead of STDOUT", "o"),
        text("platform", f"Save only the given platform variant. {PLATFORM_USAGE}"),
    ),
    examples="windlass save -o app.tar app:1.2",
)
