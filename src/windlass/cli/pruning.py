"""Removing what is not used."""

from __future__ import annotations

from windlass.cli.filters import filters_query
from windlass.cli.units import human_size
from windlass.client.errors import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context


NO_BUILDER = (404, 501)


class Pruned:
    """What one prune request removed: lines to print under a heading, and the bytes won."""

    __slots__ = ("heading", "lines", "reclaimed_bytes")

    def __init__(self, heading: str, lines: list[str], reclaimed_bytes: int) -> None:
        self.heading = heading
        self.lines = lines
        self.reclaimed_bytes = reclaimed_bytes

    def text(self) -> str:
        """The heading and the lines, nothing when nothing was removed."""
        return "\n".join([self.heading, *self.lines]) + "\n\n" if self.lines else ""


def _request(context: Context, path: str, filters: list[object]) -> dict[str, object]:
    answer = context.engine.call("POST", path, filters_query([*filters, *_configured(context, filters)]))
    return answer if isinstance(answer, dict) else {}


def _configured(context: Context, given: list[object]) -> list[object]:
    """Return the filters of config.json's `pruneFilters`, without those that the line says the opposite of."""
    opposites = {"label": "label!", "label!": "label"}
    found: list[object] = []
    for item in context.config.texts("pruneFilters"):
        name, _, value = item.partition("=")
        if (opposites.get(name, ""), value) not in given:
            found.append((name, value))
    return found


def _reclaimed(answer: dict[str, object]) -> int:
    value = answer.get("SpaceReclaimed")
    return value if isinstance(value, int) else 0


def _names(answer: dict[str, object], field: str) -> list[str]:
    value = answer.get(field)
    return [str(name) for name in value] if isinstance(value, list) else []


def prune_containers(context: Context, filters: list[object]) -> Pruned:
    """Remove stopped containers."""
    answer = _request(context, "/containers/prune", filters)
    return Pruned("Deleted Containers:", _names(answer, "ContainersDeleted"), _reclaimed(answer))


def prune_networks(context: Context, filters: list[object]) -> Pruned:
    """Remove networks without containers."""
    answer = _request(context, "/networks/prune", filters)
    return Pruned("Deleted Networks:", _names(answer, "NetworksDeleted"), 0)


def prune_volumes(context: Context, filters: list[object], *, every: bool = False) -> Pruned:
    """Remove volumes no container uses: anonymous ones, or every one."""
    answer = _request(context, "/volumes/prune", [*filters, ("all", "true")] if every else filters)
    return Pruned("Deleted Volumes:", _names(answer, "VolumesDeleted"), _reclaimed(answer))


def prune_images(context: Context, filters: list[object], *, every: bool = False) -> Pruned:
    """Remove images no container uses: those without a name, or every one."""
    answer = _request(context, "/images/prune", [*filters, ("dangling", "false" if every else "true")])
    lines = []
    deleted = answer.get("ImagesDeleted")
    for item in deleted if isinstance(deleted, list) else ():
        lines.append(f"untagged: {item['Untagged']}" if item.get("Untagged") else f"deleted: {item['Deleted']}")
    return Pruned("Deleted Images:", lines, _reclaimed(answer))


def prune_build_cache(context: Context, filters: list[object], *, every: bool = False) -> Pruned:
    """Remove the build cache; nothing is removed where the engine keeps none."""
    query = {**filters_query(filters), **({"all": "1"} if every else {})}
    try:
        answer = context.engine.call("POST", "/build/prune", query)
    except ApiError as error:
        if error.status not in NO_BUILDER:
            raise
        answer = None
    found = answer if isinstance(answer, dict) else {}
    return Pruned("Deleted build cache objects:", _names(found, "CachesDeleted"), _reclaimed(found))


def report(context: Context, results: list[Pruned], *, total: bool = True) -> None:
    """Print what was removed, and the space won."""
    context.out("".join(result.text() for result in results))
    if total:
        won = sum(result.reclaimed_bytes for result in results)
        context.print(f"Total reclaimed space: {human_size(won)}")
