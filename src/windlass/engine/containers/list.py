"""`ps`: containers and filters on them.

Source: Engine API, ContainerList; docker ps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from windlass.base.clock import now_ns
from windlass.base.errors import InvalidParameter, NotFound
from windlass.base.threads import run_blocking
from windlass.engine.containers.container import Container
from windlass.engine.containers.model import Intent, Status
from windlass.engine.containers.shapes import exposed_ports, mount_points, network_settings
from windlass.engine.containers.size import container_sizes
from windlass.engine.containers.status import status_text
from windlass.engine.engine import Engine
from windlass.engine.errors import InvalidFilter
from windlass.engine.filters import NO_FILTERS, Filters

FILTERS = (
    "ancestor",
    "before",
    "expose",
    "exited",
    "health",
    "id",
    "isolation",
    "is-task",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
)
_NS = 1_000_000_000
_HEALTH = ("none", "starting", "healthy", "unhealthy")


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What `ps` asks for. `limit` is a number of the newest containers, running or not; 0 is no limit."""

    all: bool = False
    limit: int = 0
    size: bool = False
    filters: Filters = NO_FILTERS


async def list_containers(engine: Engine, request: ListRequest) -> list[dict[str, object]]:
    """Return a summary of each container, the newest first.

    Raises:
        InvalidFilter: an unknown filter or value.
        NoSuchContainer: `before` or `since` names none.
    """
    filters = request.filters
    filters.accept(FILTERS)
    _check_values(filters)
    found = sorted(engine.containers, key=lambda c: c.intent.created_ns, reverse=True)
    found = _between(engine, found, filters)
    show_all = request.all or request.limit > 0 or "status" in filters or "exited" in filters
    chosen = [c for c in found if (show_all or c.state.is_active) and await _accepts(engine, c, filters)]
    if request.limit > 0:
        chosen = chosen[: request.limit]
    network_ids = {network.name: network.id for network in engine.networks}
    summaries = [_summary(engine, container, network_ids) for container in chosen]
    if request.size:
        for container, summary in zip(chosen, summaries, strict=True):
            summary["SizeRw"], summary["SizeRootFs"] = await run_blocking(container_sizes, engine, container)
    return summaries


def _check_values(filters: Filters) -> None:
    for value in filters.get("status"):
        if value not in get_args(Status):
            raise InvalidFilter("status", value)
    for value in filters.get("health"):
        if value not in _HEALTH:
            raise InvalidFilter("health", value)
    for value in filters.get("exited"):
        if not value.isdecimal():
            raise InvalidFilter("exited", value)
    filters.flag("is-task")


def _between(engine: Engine, containers: Iterable[Container], filters: Filters) -> list[Container]:
    """Apply `before` and `since`, which name containers."""
    before = [engine.containers.get(name).intent.created_ns for name in filters.get("before")]
    since = [engine.containers.get(name).intent.created_ns for name in filters.get("since")]
    return [
        container
        for container in containers
        if all(container.intent.created_ns < limit for limit in before)
        and all(container.intent.created_ns > limit for limit in since)
    ]


async def _accepts(engine: Engine, container: Container, filters: Filters) -> bool:
    if not filters:
        return True
    intent, state = container.intent, container.state
    return (
        filters.prefix("id", container.id)
        and filters.match("name", f"/{container.name}", container.name)
        and filters.exact("status", state.status)
        and filters.labels(intent.config.labels or {})
        and ("exited" not in filters or (state.status == "exited" and filters.exact("exited", str(state.exit_code))))
        and filters.exact("health", state.health.status if state.health else "none")
        and filters.flag("is-task") is not True
        and _uses_network(engine, container, filters)
        and _uses_volume(intent, filters)
        and _has_port(filters.get("expose"), exposed_ports(intent))
        and _has_port(filters.get("publish"), _published(container))
        and await _has_ancestor(engine, intent, filters)
    )


def _uses_network(engine: Engine, container: Container, filters: Filters) -> bool:
    if "network" not in filters:
        return True
    names = set(container.intent.networks)
    ids = [network.id for network in engine.networks if network.name in names]
    wanted = filters.get("network")
    return any(value in names or any(i.startswith(value) for i in ids) for value in wanted)


def _uses_volume(intent: Intent, filters: Filters) -> bool:
    if "volume" not in filters:
        return True
    names = {name for point in intent.mounts for name in (point.name or point.source, point.destination)}
    return filters.exact("volume", *names)


def _published(container: Container) -> list[tuple[int, str]]:
    return [(port.container_port, port.protocol) for endpoint in container.state.endpoints for port in endpoint.ports]


def _has_port(wanted: Iterable[str], ports: list[tuple[int, str]]) -> bool:
    """Values are `80`, `80/tcp` or `8000-8010/udp`."""
    wanted = tuple(wanted)
    if not wanted:
        return True
    for value in wanted:
        numbers, _, protocol = value.partition("/")
        first, _, last = numbers.partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()):
            raise InvalidFilter("publish", value)
        span = range(int(first), int(last or first) + 1)
        if any(number in span and protocol in ("", kind) for number, kind in ports):
            return True
    return False


async def _has_ancestor(engine: Engine, intent: Intent, filters: Filters) -> bool:
    for name in filters.get("ancestor"):
        try:
            image = await engine.images.resolve(name)
        except (NotFound, InvalidParameter):
            continue
        if image.id == intent.image_id:
            return True
    return "ancestor" not in filters


def _summary(engine: Engine, container: Container, network_ids: dict[str, str]) -> dict[str, object]:
    intent, state = container.intent, container.state
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": intent.config.image,
        "ImageID": intent.image_id,
        "Command": _command(intent.argv),
        "Created": intent.created_ns // _NS,
        "Ports": _ports(container),
        "Labels": intent.config.labels or {},
        "State": state.status,
        "Status": status_text(state, now_ns()),
        "HostConfig": {"NetworkMode": intent.host_config.network_mode},
        "NetworkSettings": {"Networks": network_settings(intent, state, network_ids)},
        "Mounts": mount_points(intent.mounts),
    }


def _command(argv: list[str]) -> str:
    path, *arguments = argv
    return " ".join([path, *(f"'{argument}'" if " " in argument else argument for argument in arguments)])


def _ports(container: Container) -> list[dict[str, object]]:
    if not container.state.is_running:
        return []
    shown: list[dict[str, object]] = []
    published = set()
    for endpoint in container.state.endpoints:
        for port in endpoint.ports:
            published.add((port.container_port, port.protocol))
            shown.append(
                {
                    "IP": port.host_ip,
                    "PrivatePort": port.container_port,
                    "PublicPort": port.host_port,
                    "Type": port.protocol,
                }
            )
    shown += [
        {"PrivatePort": number, "Type": protocol}
        for number, protocol in exposed_ports(container.intent)
        if (number, protocol) not in published
    ]
    return shown
