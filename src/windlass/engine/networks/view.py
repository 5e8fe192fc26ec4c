"""Networks as the API shows them, with the containers on them."""

from __future__ import annotations

import time

from windlass.base.errors import WindlassError
from windlass.engine.engine import Engine
from windlass.engine.filters import Filters
from windlass.engine.networks.record import NetworkRecord
from windlass.engine.times import parse_time_ns

_LIST_FILTERS = ("dangling", "driver", "id", "label", "name", "scope", "type")
_PRUNE_FILTERS = ("label", "label!", "until")


def list_networks(engine: Engine, filters: Filters) -> list[dict[str, object]]:
    """Return the networks that the filters let through; as in dockerd, without their containers.

    Raises:
        InvalidFilter: unknown filter or value.
    """
    filters.accept(_LIST_FILTERS)
    dangling = filters.flag("dangling")
    used = {name for container in engine.containers for name in container.intent.networks}
    return [
        network.to_api({})
        for network in engine.networks
        if filters.match("name", network.name)
        and filters.prefix("id", network.id)
        and filters.exact("driver", network.driver)
        and filters.exact("scope", "local")
        and filters.exact("type", "builtin" if network.is_predefined else "custom")
        and filters.labels(network.labels)
        and (dangling is None or dangling == (not network.is_predefined and network.name not in used))
    ]


def inspect_network(engine: Engine, reference: str) -> dict[str, object]:
    """Return a network with the running containers on it.

    Raises:
        NoSuchNetwork, AmbiguousPrefix.
    """
    network = engine.networks.get(reference)
    return network.to_api(_containers(engine, network))


def _containers(engine: Engine, network: NetworkRecord) -> dict[str, dict[str, str]]:
    return {
        container.id: {
            "Name": container.name,
            "EndpointID": endpoint.id,
            "MacAddress": endpoint.mac,
            "IPv4Address": f"{endpoint.ip4}/{endpoint.prefix_len}",
            "IPv6Address": "",
        }
        for container in engine.containers
        for endpoint in container.state.endpoints
        if endpoint.network_id == network.id
    }


async def prune_networks(engine: Engine, filters: Filters) -> dict[str, object]:
    """Remove users' networks on which no container is, running or not.

    Raises:
        InvalidFilter: unknown filter.
    """
    filters.accept(_PRUNE_FILTERS)
    until_ns = parse_time_ns(filters.get("until")[0], time.time_ns()) if filters.get("until") else None
    used = {name for container in engine.containers for name in container.intent.networks}
    deleted = []
    for network in engine.networks:
        if network.is_predefined or network.name in used or (until_ns is not None and network.created_ns > until_ns):
            continue
        if not filters.labels(network.labels) or not filters.without_labels(network.labels):
            continue
        try:
            await engine.networks.remove(network.id)
        except WindlassError:
            # Used meanwhile.
            continue
        deleted.append(network.name)
    return {"NetworksDeleted": deleted or None}
