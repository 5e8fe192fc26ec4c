"""Options that contradict the network or UTS mode.

Source: Docker, "Networking overview"; the texts are dockerd's.
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.runtime.namespaces import joined_container
from windlass.spec.container import ContainerConfig, HostConfig

_UNDEFINED = "This would result in undefined behavior"


def check_network_mode(config: ContainerConfig, host: HostConfig) -> None:
    """Refuse what a container without a network of its own cannot have.

    Raises:
        InvalidParameter: a contradiction.
    """
    mode = host.network_mode
    if mode in ("container", "container:"):
        raise InvalidParameter("Invalid network mode: invalid container format container:<name|id>")
    joins = bool(joined_container(mode))
    if not joins and mode != "host":
        return
    # The host's name is fine in the host's network: only a container's is already taken.
    if joins and config.hostname:
        raise InvalidParameter("conflicting options: hostname and the network mode")
    if host.links:
        kind = "container type network" if joins else "host type networking"
        raise InvalidParameter(f"conflicting options: {kind} can't be used with links. {_UNDEFINED}")
    if host.dns and joins:
        raise InvalidParameter("conflicting options: dns and the network mode")
    if host.extra_hosts and joins:
        raise InvalidParameter("conflicting options: custom host-to-IP mapping and the network mode")
    if config.mac_address:
        raise InvalidParameter("conflicting options: mac-address and the network mode")
    if joins and (host.port_bindings or host.publish_all_ports):
        raise InvalidParameter("conflicting options: port publishing and the container type network mode")
    if joins and config.exposed_ports:
        raise InvalidParameter("conflicting options: port exposing and the container type network mode")


def check_uts_mode(config: ContainerConfig, host: HostConfig) -> None:
    """Refuse names for a container that shares the host's.

    Raises:
        InvalidParameter: a contradiction.
    """
    if host.uts_mode != "host":
        return
    if config.hostname:
        raise InvalidParameter("conflicting options: hostname and the UTS mode")
    if config.domainname:
        raise InvalidParameter("conflicting options: domainname and the UTS mode")
