"""`/networks`."""

from __future__ import annotations

import msgspec
from aiohttp import web

from windlass.api.bodies import read_json
from windlass.api.call import Call, no_content, reply
from windlass.api.router import Route
from windlass.base.errors import InvalidParameter, NotSupported
from windlass.engine.networks.request import NetworkRequest
from windlass.engine.networks.view import inspect_network, list_networks, prune_networks


class IpamConfig(msgspec.Struct, rename="pascal"):
    """One subnet. Source: Engine API, IPAMConfig."""

    subnet: str = ""
    gateway: str = ""


class Ipam(msgspec.Struct, rename="pascal"):
    """How addresses are given out. Source: Engine API, IPAM."""

    driver: str = ""
    config: list[IpamConfig] | None = None


class CreateNetwork(
    msgspec.Struct,
    rename=lambda name: (
        {"ipam": "IPAM", "enable_ipv6": "EnableIPv6"}.get(name)
        or "".join(part.capitalize() for part in name.split("_"))
    ),
):
    """The body of a network's creation. Source: Engine API, NetworkCreate."""

    name: str = ""
    driver: str = ""
    internal: bool = False
    attachable: bool = False
    enable_ipv6: bool = False
    ipam: Ipam | None = None
    options: dict[str, str] | None = None
    labels: dict[str, str] | None = None


async def _list(call: Call) -> web.StreamResponse:
    return reply(list_networks(call.engine, call.filters))


async def _inspect(call: Call) -> web.StreamResponse:
    return reply(inspect_network(call.engine, call.id))


async def _create(call: Call) -> web.StreamResponse:
    wanted = await read_json(call.request, CreateNetwork)
    configs = wanted.ipam.config if wanted.ipam and wanted.ipam.config else []
    if wanted.ipam and wanted.ipam.driver not in ("", "default"):
        raise InvalidParameter(f"could not find an available IPAM driver {wanted.ipam.driver}")
    if len(configs) > 1:
        raise NotSupported("networks with several subnets are not supported by this engine yet")
    config = configs[0] if configs else IpamConfig()
    record = await call.engine.networks.create(
        NetworkRequest(
            name=wanted.name,
            driver=wanted.driver or "bridge",
            subnet=config.subnet,
            gateway=config.gateway,
            internal=wanted.internal,
            attachable=wanted.attachable,
            enable_ipv6=wanted.enable_ipv6,
            labels=wanted.labels or {},
            options=wanted.options or {},
        )
    )
    return reply({"Id": record.id, "Warning": ""}, 201)


async def _remove(call: Call) -> web.StreamResponse:
    await call.engine.networks.remove(call.id)
    return no_content()


async def _prune(call: Call) -> web.StreamResponse:
    return reply(await prune_networks(call.engine, call.filters))


async def _connect(call: Call) -> web.StreamResponse:
    call.engine.networks.get(call.id)
    raise NotSupported("connecting containers to networks after their creation is not supported by this engine yet")


ROUTES = (
    Route("GET", "/networks", _list),
    Route("POST", "/networks/create", _create),
    Route("POST", "/networks/prune", _prune),
    Route("GET", "/networks/{id}", _inspect),
    Route("DELETE", "/networks/{id}", _remove),
    Route("POST", "/networks/{id}/connect", _connect),
    Route("POST", "/networks/{id}/disconnect", _connect),
)
