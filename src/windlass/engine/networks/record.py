"""What is kept of a network, and how the API shows it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import msgspec

from windlass.base.clock import rfc3339_nano
from windlass.engine.containers.model import EndpointState, PublishedPort
from windlass.network.model import Endpoint, NetworkConfig
from windlass.network.model import PublishedPort as DriverPort

BRIDGE = "bridge"
HOST = "host"
NONE = "none"
PREDEFINED = (BRIDGE, HOST, NONE)


class NetworkRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A network; `driver` is `bridge`, `host` or `null`. Addresses are text, empty where there are none."""

    id: str
    name: str
    driver: str
    created_ns: int
    bridge_name: str = ""
    subnet: str = ""
    gateway: str = ""
    mtu: int = 1500
    internal: bool = False
    attachable: bool = False
    icc: bool = True
    masquerade: bool = True
    labels: dict[str, str] = {}
    options: dict[str, str] = {}

    @property
    def is_predefined(self) -> bool:
        """Whether the network is always there and cannot be removed."""
        return self.name in PREDEFINED

    def to_config(self) -> NetworkConfig:
        """The network as its driver wants it."""
        return NetworkConfig(
            id=self.id,
            name=self.name,
            bridge_name=self.bridge_name,
            subnet4=IPv4Network(self.subnet),
            gateway4=IPv4Address(self.gateway),
            mtu=self.mtu,
            internal=self.internal,
            icc=self.icc,
            masquerade=self.masquerade,
            labels=self.labels,
            options=self.options,
        )

    def to_api(self, containers: dict[str, dict[str, str]]) -> dict[str, object]:
        """Return the API's Network; `containers` as `NetworkInspect` shows them."""
        ipam = [{"Subnet": self.subnet, "Gateway": self.gateway}] if self.subnet else []
        return {
            "Name": self.name,
            "Id": self.id,
            "Created": rfc3339_nano(self.created_ns),
            "Scope": "local",
            "Driver": self.driver,
            "EnableIPv4": True,
            "EnableIPv6": False,
            "IPAM": {"Driver": "default", "Options": None, "Config": ipam},
            "Internal": self.internal,
            "Attachable": self.attachable,
            "Ingress": False,
            "ConfigFrom": {"Network": ""},
            "ConfigOnly": False,
            "Containers": containers,
            "Options": self.options,
            "Labels": self.labels,
        }


def endpoint_state(endpoint: Endpoint, network: NetworkRecord) -> EndpointState:
    """Return what is kept of an endpoint."""
    return EndpointState(
        id=endpoint.id,
        network_id=network.id,
        network_name=network.name,
        ip4=str(endpoint.ip4),
        prefix_len=endpoint.prefix_len,
        gateway=str(endpoint.gateway) if endpoint.gateway is not None else "",
        mac=endpoint.mac,
        host_ifname=endpoint.host_ifname,
        ifname=endpoint.ifname,
        ports=[PublishedPort(p.container_port, p.protocol, str(p.host_ip), p.host_port) for p in endpoint.ports],
    )


def driver_endpoint(state: EndpointState, container_id: str) -> Endpoint:
    """Return the endpoint of which `state` was kept, without its sockets."""
    return Endpoint(
        id=state.id,
        network_id=state.network_id,
        container_id=container_id,
        ip4=IPv4Address(state.ip4),
        prefix_len=state.prefix_len,
        gateway=IPv4Address(state.gateway) if state.gateway else None,
        mac=state.mac,
        host_ifname=state.host_ifname,
        ifname=state.ifname,
        ports=tuple(DriverPort(p.container_port, p.protocol, IPv4Address(p.host_ip), p.host_port) for p in state.ports),
    )
