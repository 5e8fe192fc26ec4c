"""`image inspect`: everything the engine knows about images."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.flags import text
from windlass.cli.inspecting import inspect
from windlass.cli.listing import INSPECT_FORMAT_USAGE
from windlass.cli.platforms import PLATFORM_USAGE, platform_query
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Print the images' details."""
    query = platform_query(values.text("platform"))

    def fetch(name: str) -> object:
        return context.engine.call("GET", f"/images/{quote(name)}/json", query)

    return inspect(context, arguments, values.text("format"), fetch)


COMMAND = Command(
    "[OPTIONS] IMAGE [IMAGE...]",
    run,
    rule=at_least(1),
    flags=(
        text("format", INSPECT_FORMAT_USAGE, "f"),
        text("platform", f"Inspect a specific platform of the multi-platform image. {PLATFORM_USAGE}"),
    ),
    examples="windlass image inspect -f '{{.Config.Cmd}}' windlass/busybox",
)
