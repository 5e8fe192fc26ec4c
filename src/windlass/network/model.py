"""The values at the seam between the engine and this room.

Addresses are `ipaddress` objects; MACs are text (`02:42:ac:11:00:02`). All are plain and frozen, so that the engine
can store them; only `EndpointRequest` and `Endpoint.port_holds` carry open descriptors, which are not stored.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

BRIDGE_DRIVER = "bridge"
DEFAULT_NETWORK = "bridge"
DEFAULT_BRIDGE = "windlass0"
DEFAULT_MTU = 1500

Protocol = str  # "tcp", "udp" or "sctp"


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """A bridge network as it is wanted.

    `icc` lets its containers reach each other; `internal` cuts it off from everything else; `masquerade` hides its
    addresses behind the host's.
    """

    id: str
    name: str
    bridge_name: str
    subnet4: IPv4Network
    gateway4: IPv4Address
    driver: str = BRIDGE_DRIVER
    mtu: int = DEFAULT_MTU
    internal: bool = False
    icc: bool = True
    masquerade: bool = True
    labels: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PortBinding:
    """A wish to publish: one port of the container on a port of the host in `host_port_start..host_port_end`.

    0 as the host port asks for an ephemeral one. `host_ip` empty means every address of the host.
    """

    container_port: int
    protocol: Protocol = "tcp"
    host_ip: str = ""
    host_port_start: int = 0
    host_port_end: int = 0


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A port as it is published. `host_ip` 0.0.0.0 means every IPv4 address of the host."""

    container_port: int
    protocol: Protocol
    host_ip: IPv4Address
    host_port: int


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """What a container asks of a network.

    `netns_fd` names its network namespace, `netns_route_socket` is a NETLINK_ROUTE socket opened inside it. Both
    stay the caller's. `default_route` is for the one network that leads outside.
    """

    container_id: str
    netns_fd: int
    netns_route_socket: socket.socket
    requested_ip: IPv4Address | None = None
    mac: str | None = None
    ifname: str = "eth0"
    ports: tuple[PortBinding, ...] = ()
    default_route: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A container's place on a network.

    `port_holds` are bound sockets, in the order of `ports` where the host can hold a port of that protocol; whoever
    keeps copies of them open keeps the ports reserved. They are absent (empty) after a restart of the daemon.
    """

    id: str
    network_id: str
    container_id: str
    ip4: IPv4Address
    prefix_len: int
    gateway: IPv4Address | None
    mac: str
    host_ifname: str
    ifname: str = "eth0"
    ports: tuple[PublishedPort, ...] = ()
    port_holds: tuple[socket.socket, ...] = field(default=(), compare=False, repr=False)
