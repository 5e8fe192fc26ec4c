"""Which networks a container wants, and what of each.

Source: Engine API, HostConfig.NetworkMode and NetworkingConfig.
"""

from __future__ import annotations

from collections.abc import Mapping

from windlass.base.errors import InvalidParameter
from windlass.engine.containers.model import Intent
from windlass.engine.engine import Engine
from windlass.engine.errors import NoSuchNetwork
from windlass.engine.networks.networks import EndpointWish
from windlass.engine.networks.record import BRIDGE, HOST, NONE
from windlass.network.model import PortBinding
from windlass.network.ports import bindings
from windlass.runtime.namespaces import joined_container
from windlass.spec.container import ContainerConfig, EndpointSettings, HostConfig, NetworkingConfig


def has_own_network(mode: str) -> bool:
    """Tell whether a network mode means a namespace that is attached to networks."""
    return mode not in (HOST, NONE) and not joined_container(mode)


def wanted_networks(
    engine: Engine, config: ContainerConfig, host: HostConfig, networking: NetworkingConfig
) -> dict[str, EndpointSettings]:
    """Return the attachments of a new container by network name; the first one leads outside.

    Whether the networks exist is asked at the start, as in dockerd: clients take a 404 of a creation for the image's.

    Raises:
        InvalidParameter: an address is asked for where none can be chosen.
    """
    mode = host.network_mode
    if joined_container(mode):
        return {}
    asked = {name: settings or EndpointSettings() for name, settings in (networking.endpoints_config or {}).items()}
    primary = _full_name(engine, mode)
    own = asked.pop(mode, None) or asked.pop(primary, None) or asked.pop("default", None) or EndpointSettings()
    if config.mac_address and not own.mac_address:
        own.mac_address = config.mac_address
    wanted = {primary: own}
    for name, settings in asked.items():
        wanted.setdefault(_full_name(engine, name), settings)
    if len(wanted) > 1 and not wanted.keys().isdisjoint((HOST, NONE)):
        raise InvalidParameter(
            "container cannot be connected to multiple networks with one of the networks in private (none) mode"
        )
    _check_addresses(wanted)
    return wanted


def _full_name(engine: Engine, reference: str) -> str:
    """A network may be given by id; one that does not exist keeps the name by which it is asked for."""
    try:
        return engine.networks.get(reference).name
    except NoSuchNetwork:
        return reference


def _check_addresses(wanted: Mapping[str, EndpointSettings]) -> None:
    for name, settings in wanted.items():
        if settings.ipam_config is not None and settings.ipam_config.ipv4_address and name in (BRIDGE, HOST, NONE):
            raise InvalidParameter(
                "invalid config for network " + name + ": invalid endpoint settings:\n"
                "user specified IP address is supported on user defined networks only"
            )


def check_ports(config: ContainerConfig, host: HostConfig) -> None:
    """Refuse malformed ports.

    Raises:
        InvalidParameter: in dockerd's words.
    """
    bindings(config.exposed_ports or {}, host.port_bindings or {}, publish_all=host.publish_all_ports)


def published_ports(engine: Engine, intent: Intent) -> tuple[PortBinding, ...]:
    """Return what a container publishes."""
    return bindings(
        intent.config.exposed_ports or {},
        intent.host_config.port_bindings or {},
        publish_all=intent.host_config.publish_all_ports,
        default_host_ip=engine.settings.publish_address,
    )


def endpoint_wishes(engine: Engine, intent: Intent) -> list[tuple[str, EndpointWish]]:
    """Return what a container asks of each network, in the order of its interfaces."""
    wishes = []
    for position, (name, settings) in enumerate(intent.networks.items()):
        first = position == 0
        wish = EndpointWish(
            container_id=intent.id,
            requested_ip=settings.ipam_config.ipv4_address if settings.ipam_config else "",
            mac=settings.mac_address,
            ifname=f"eth{position}",
            ports=published_ports(engine, intent) if first else (),
            default_route=first,
        )
        wishes.append((name, wish))
    return wishes
