"""`inspect`: everything the engine knows about objects of any kind."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.errors import CliError
from windlass.cli.flags import switch, text
from windlass.cli.gotext import quoted
from windlass.cli.inspecting import inspect
from windlass.cli.listing import INSPECT_FORMAT_USAGE
from windlass.client.errors import ApiError
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

NOT_FOUND = 404
PATHS = {
    "container": "/containers/{}/json",
    "image": "/images/{}/json",
    "network": "/networks/{}",
    "volume": "/volumes/{}",
}
OTHER_TYPES = ("config", "node", "plugin", "secret", "service", "task")


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Print the objects, the first kind that has the name winning."""
    kind = values.text("type")
    if values.given("type") and kind not in PATHS and kind not in OTHER_TYPES:
        names = ", ".join(quoted(name) for name in sorted((*PATHS, *OTHER_TYPES)))
        raise CliError(f"unknown type: {quoted(kind)}: must be one of {names}")

    def fetch(name: str) -> object:
        for candidate in (kind,) if kind else PATHS:
            query = {"size": "1"} if values.on("size") and candidate == "container" else {}
            try:
                return context.engine.call("GET", PATHS[candidate].format(quote(name)), query)
            except ApiError as error:
                if error.status != NOT_FOUND:
                    raise
            except KeyError:
                break
        raise CliError(f"Error: No such {kind or 'object'}: {name}")

    return inspect(context, arguments, values.text("format"), fetch)


COMMAND = Command(
    "[OPTIONS] NAME|ID [NAME|ID...]",
    run,
    rule=at_least(1),
    flags=(
        text("format", INSPECT_FORMAT_USAGE, "f"),
        switch("size", "Display total file sizes if the type is container", "s"),
        text("type", "Only inspect objects of the given type"),
    ),
    examples="""
windlass inspect web
windlass inspect -f '{{.State.Status}}' web
windlass inspect -f '{{range $net, $end := .NetworkSettings.Networks}}{{$net}}={{$end.IPAddress}} {{end}}' web
""",
)
