"""The filters of `ps`.

Source: Engine API, ContainerList, parameter `filters`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import get_args

from windlass.base.errors import InvalidParameter, NotFound
from windlass.engine.containers.container import Container
from windlass.engine.containers.model import Intent, Status
from windlass.engine.containers.shapes import exposed_ports
from windlass.engine.engine import Engine
from windlass.engine.errors import InvalidFilter
from windlass.engine.filters import Filters

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
_HEALTH = ("none", "starting", "healthy", "unhealthy")
_Test = Callable[[Container], bool]


def check_filters(filters: Filters) -> None:
    """Refuse what is no filter of `ps`.

    Raises:
        InvalidFilter: an unknown filter or value.
    """
    filters.accept(FILTERS)
    for value in filters.get("status"):
        if value not in get_args(Status):
            raise InvalidFilter("status", value)
    for value in filters.get("health"):
        if value not in _HEALTH:
            raise InvalidFilter("health", value)
    for value in filters.get("exited"):
        if not value.removeprefix("-").isdecimal():
            raise InvalidFilter("exited", value)
    for name in ("expose", "publish"):
        for value in filters.get(name):
            _port_span(name, value)
    filters.flag("is-task")


async def choose(engine: Engine, containers: Iterable[Container], filters: Filters) -> list[Container]:
    """Return those of `containers` that the filters let through.

    Raises:
        NoSuchContainer: `before` or `since` names none.
    """
    tests = [test(filters) for name, test in _TESTS.items() if name in filters]
    tests += _moments(engine, filters)
    if "network" in filters:
        tests.append(_network(engine, filters))
    if "ancestor" in filters:
        tests.append(await _ancestor(engine, filters))
    return [container for container in containers if all(test(container) for test in tests)]


_TESTS: dict[str, Callable[[Filters], _Test]] = {
    "id": lambda filters: lambda c: filters.prefix("id", c.id),
    "name": lambda filters: lambda c: filters.match("name", f"/{c.name}", c.name),
    "status": lambda filters: lambda c: filters.exact("status", c.state.status),
    "label": lambda filters: lambda c: filters.labels(c.intent.config.labels or {}),
    "exited": lambda filters: lambda c: c.state.status == "exited" and filters.exact("exited", str(c.state.exit_code)),
    "health": lambda filters: lambda c: filters.exact("health", c.state.health.status if c.state.health else "none"),
    # No container is a service's task, and there is one isolation only.
    "is-task": lambda filters: lambda _c: filters.flag("is-task") is not True,
    "isolation": lambda filters: lambda _c: filters.exact("isolation", "", "default"),
    "volume": lambda filters: lambda c: _uses_volume(c.intent, filters),
    "expose": lambda filters: lambda c: _has_port("expose", filters, exposed_ports(c.intent)),
    "publish": lambda filters: lambda c: _has_port("publish", filters, _published(c)),
}


def _moments(engine: Engine, filters: Filters) -> list[_Test]:
    """`before` and `since` name containers, removed ones not."""
    before = [engine.containers.get(name).intent.created_ns for name in filters.get("before")]
    since = [engine.containers.get(name).intent.created_ns for name in filters.get("since")]
    tests: list[_Test] = []
    if before:
        tests.append(lambda c: c.intent.created_ns < min(before))
    if since:
        tests.append(lambda c: c.intent.created_ns > max(since))
    return tests


def _network(engine: Engine, filters: Filters) -> _Test:
    """By name, id or the beginning of an id."""
    wanted = filters.get("network")
    names = {network.name for network in engine.networks if any(network.id.startswith(value) for value in wanted)}
    names.update(wanted)
    return lambda c: not names.isdisjoint(c.intent.networks)


async def _ancestor(engine: Engine, filters: Filters) -> _Test:
    """By image: looked up once, however many containers there are."""
    ids: set[str] = set()
    for name in filters.get("ancestor"):
        try:
            ids.add((await engine.images.resolve(name)).id)
        except (NotFound, InvalidParameter):
            continue
    return lambda c: c.intent.image_id in ids


def _uses_volume(intent: Intent, filters: Filters) -> bool:
    names = {name for point in intent.mounts for name in (point.name or point.source, point.destination)}
    return filters.exact("volume", *names)


def _published(container: Container) -> list[tuple[int, str]]:
    return [(port.container_port, port.protocol) for endpoint in container.state.endpoints for port in endpoint.ports]


def _has_port(name: str, filters: Filters, ports: list[tuple[int, str]]) -> bool:
    for value in filters.get(name):
        span, protocol = _port_span(name, value)
        if any(number in span and protocol in ("", kind) for number, kind in ports):
            return True
    return False


def _port_span(name: str, value: str) -> tuple[range, str]:
    """Values are `80`, `80/tcp` or `8000-8010/udp`."""
    numbers, _, protocol = value.partition("/")
    first, _, last = numbers.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()):
        raise InvalidFilter(name, value)
    return range(int(first), int(last or first) + 1), protocol
