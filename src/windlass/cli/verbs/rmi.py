"""`rmi`: remove images."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.flags import listing, switch
from windlass.cli.platforms import PLATFORM_USAGE, platform_query
from windlass.client.errors import ApiError
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

NOT_FOUND = 404


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Remove every image and print what was untagged and deleted; with --force a missing one is no failure."""
    query: dict[str, str | list[str]] = {}
    if values.on("force"):
        query["force"] = "1"
    if values.on("no-prune"):
        query["noprune"] = "1"
    if values.given("platform"):
        query["platforms"] = [platform_query(name)["platform"] for name in values.texts("platform")]
    failures, fatal = [], False
    for name in arguments:
        try:
            removed = context.engine.call("DELETE", f"/images/{quote(name)}", query)
        except ApiError as error:
            failures.append(str(error))
            fatal = fatal or error.status != NOT_FOUND
            continue
        for item in removed if isinstance(removed, list) else ():
            context.print(f"Deleted: {item['Deleted']}" if item.get("Deleted") else f"Untagged: {item['Untagged']}")
    if not failures:
        return 0
    context.warn("\n".join(failures))
    return 1 if fatal or not values.on("force") else 0


COMMAND = Command(
    "[OPTIONS] IMAGE [IMAGE...]",
    run,
    rule=at_least(1),
    flags=(
        switch("force", "Force removal of the image", "f"),
        switch("no-prune", "Do not delete untagged parents"),
        listing("platform", f"Remove only the given platform variant. {PLATFORM_USAGE}", type_name="strings"),
    ),
    examples="windlass rmi old:1.0",
)
