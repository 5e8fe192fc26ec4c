"""`container prune`."""

from __future__ import annotations

import time

from windlass.base.errors import WindlassError
from windlass.base.threads import run_blocking
from windlass.engine.containers.container import Container
from windlass.engine.containers.remove import remove
from windlass.engine.engine import Engine
from windlass.engine.filters import Filters
from windlass.engine.times import parse_time_ns
from windlass.snapshots.usage import disk_usage

_FILTERS = ("label", "label!", "until")


async def prune(engine: Engine, filters: Filters) -> dict[str, object]:
    """Remove the containers that have ended or never ran; return the API's ContainerPruneResponse.

    Raises:
        InvalidFilter, InvalidParameter: in dockerd's words.
    """
    filters.accept(_FILTERS)
    until_ns = parse_time_ns(filters.get("until")[0], time.time_ns()) if filters.get("until") else None
    deleted: list[str] = []
    reclaimed_bytes = 0
    for container in engine.containers:
        if not _is_prunable(container, filters, until_ns):
            continue
        size_bytes = await run_blocking(disk_usage, container.paths.upper)
        try:
            await remove(engine, container.id)
        except WindlassError:
            # Started, or removed by somebody else, meanwhile.
            continue
        deleted.append(container.id)
        reclaimed_bytes += size_bytes
    engine.events.emit("container", "prune", "", {"reclaimed": str(reclaimed_bytes)})
    return {"ContainersDeleted": deleted or None, "SpaceReclaimed": reclaimed_bytes}


def _is_prunable(container: Container, filters: Filters, until_ns: int | None) -> bool:
    labels = container.intent.config.labels or {}
    return (
        container.state.status in ("created", "exited", "dead")
        and not container.removing
        and (until_ns is None or container.intent.created_ns <= until_ns)
        and filters.labels(labels)
        and filters.without_labels(labels)
    )
