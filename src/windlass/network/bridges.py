"""Bridges as links of the host: made, addressed, hardened, removed."""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Network

from windlass.netlink import rtnl, rtnl_read
from windlass.netlink.connection import Connection, Request
from windlass.network import sysctl
from windlass.network.errors import InvalidBridgeName, NetworkSetupFailed
from windlass.network.mac import mac_for
from windlass.network.model import NetworkConfig

_IFNAME_MAX = 15


def ensure_bridge(route: Connection, config: NetworkConfig) -> int:
    """Make the bridge of a network as wanted, whatever was there before, and return its index.

    Raises:
        InvalidBridgeName: the kernel would not have the name.
        NetworkSetupFailed: the name belongs to something that is no bridge, or a setting cannot be made.
    """
    _check_name(config.bridge_name)
    link = rtnl_read.find_link(route, config.bridge_name)
    if link is None:
        mac = mac_for(config.gateway4)
        create = rtnl.create_bridge(config.bridge_name, mac, config.mtu)
        replies = route.execute([create, rtnl_read.get_link_request(config.bridge_name)])
        link = rtnl_read.read_link(replies[1])
    if link.kind != "bridge":
        raise NetworkSetupFailed(f"cannot use {config.bridge_name}: it exists and is not a bridge")
    _harden(config)
    route.execute(
        [
            *_stale_addresses(route, link.index, config),
            rtnl.add_address(link.index, config.gateway4, config.subnet4.prefixlen),
            rtnl.set_link(link.index, up=True, mtu=config.mtu),
        ]
    )
    return link.index


def _check_name(name: str) -> None:
    if not 0 < len(name.encode()) <= _IFNAME_MAX or name in (".", "..") or any(c in "/:" or c.isspace() for c in name):
        raise InvalidBridgeName(name)


def _harden(config: NetworkConfig) -> None:
    """Set what protects the host from its containers, before the bridge comes up.

    A router advertisement sent by a container must not reconfigure the host (CVE-2020-13401), and a network without
    IPv6 has none on the host's side either (CVE-2024-32473).
    """
    ipv6, ipv4 = f"ipv6/conf/{config.bridge_name}", f"ipv4/conf/{config.bridge_name}"
    sysctl.ensure(f"{ipv6}/accept_ra", "0")
    sysctl.ensure(f"{ipv6}/autoconf", "0")
    sysctl.ensure(f"{ipv6}/disable_ipv6", "1")
    # Lets the answers to calls of 127.0.0.1:PORT come back in; the raw chain drops everything else for 127.0.0.0/8.
    sysctl.ensure(f"{ipv4}/route_localnet", "0" if config.internal else "1")


def _stale_addresses(route: Connection, index: int, config: NetworkConfig) -> list[Request]:
    return [
        rtnl.delete_address(index, a.address, a.prefix_len)
        for a in rtnl_read.addresses(route, socket.AF_INET)
        if a.link == index and (a.address, a.prefix_len) != (config.gateway4, config.subnet4.prefixlen)
    ]


def delete_bridge(route: Connection, name: str) -> None:
    """Delete a bridge; one that is not there is no error."""
    failure = route.attempt([rtnl.delete_link(name)])[0]
    if failure is not None and failure.errno != errno.ENODEV:
        raise failure


def occupied_subnets(route: Connection, except_bridge: str = "") -> list[IPv4Network]:
    """List the IPv4 networks that the host can reach, by address or by route, other than through `except_bridge`."""
    own = rtnl_read.find_link(route, except_bridge) if except_bridge else None
    own_index = own.index if own else -1
    found = [
        IPv4Network((a.address.packed, a.prefix_len), strict=False)
        for a in rtnl_read.addresses(route, socket.AF_INET)
        if a.link != own_index
    ]
    for known in rtnl_read.routes(route, socket.AF_INET):
        if known.link != own_index and isinstance(known.destination, IPv4Network):
            found.append(known.destination)
    return found
