"""`ps`: containers, the newest first.

A summary is encoded once and kept until its container changes (`summary.py`): a list of thousands takes milliseconds,
and no container is waited for.

Source: Engine API, ContainerList; docker ps.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from windlass.base.clock import now_ns
from windlass.base.threads import run_blocking
from windlass.engine.containers.container import Container
from windlass.engine.containers.list_filters import check_filters, choose
from windlass.engine.containers.size import container_sizes
from windlass.engine.containers.summary import encoded, is_encoded, summary
from windlass.engine.engine import Engine
from windlass.engine.filters import NO_FILTERS, Filters

# After so many summaries that had to be made, others have their turn.
_MADE_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What `ps` asks for. `limit` is a number of the newest containers, running or not; 0 is no limit."""

    all: bool = False
    limit: int = 0
    size: bool = False
    filters: Filters = NO_FILTERS


async def list_containers(engine: Engine, request: ListRequest) -> list[dict[str, object]]:
    """Return a summary of each container; `size` looks at their files.

    Raises:
        InvalidFilter: an unknown filter or value.
        NoSuchContainer: `before` or `since` names none.
    """
    chosen = await _chosen(engine, request)
    network_ids = _network_ids(engine)
    summaries = [summary(container, network_ids, now_ns()) for container in chosen]
    if request.size:
        for container, shown in zip(chosen, summaries, strict=True):
            shown["SizeRw"], shown["SizeRootFs"] = await run_blocking(container_sizes, engine, container)
    return summaries


async def list_encoded(engine: Engine, request: ListRequest) -> bytes:
    """Return the JSON of `list_containers` without sizes.

    Raises:
        InvalidFilter, NoSuchContainer: as there.
    """
    chosen = await _chosen(engine, request)
    network_ids, moment = _network_ids(engine), now_ns()
    parts, made = [], 0
    for container in chosen:
        if not is_encoded(container, network_ids):
            made += 1
            if made % _MADE_AT_ONCE == 0:
                await asyncio.sleep(0)
        parts.append(encoded(container, network_ids, moment))
    return b"[" + b",".join(parts) + b"]"


async def _chosen(engine: Engine, request: ListRequest) -> list[Container]:
    filters = request.filters
    check_filters(filters)
    found = sorted(engine.containers, key=lambda c: c.intent.created_ns, reverse=True)
    if not (request.all or request.limit > 0 or "status" in filters or "exited" in filters):
        found = [container for container in found if container.state.is_active]
    if filters:
        found = await choose(engine, found, filters)
    return found[: request.limit] if request.limit > 0 else found


def _network_ids(engine: Engine) -> dict[str, str]:
    return {network.name: network.id for network in engine.networks}
