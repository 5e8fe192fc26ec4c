"""The pair of interfaces that joins a container to a bridge.

The host's end is named by our prefix and the endpoint's id, so that a later daemon can tell which pairs on its
bridges have no owner any more.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from windlass.linux.ethtool import settle_link
from windlass.netlink import rtnl, rtnl_read
from windlass.netlink.connection import Connection

HOST_PREFIX = "wl"
_ID_DIGITS = 12
# Interfaces of this group are about to be deleted together. Any number that nobody else uses will do.
_DOOMED_GROUP = 0x776C6421


@dataclass(frozen=True, slots=True)
class Pair:
    """A veth pair as wanted. `netns_fd` names the container's network namespace; `gateway` None: no default route."""

    host_ifname: str
    ifname: str
    mac: bytes
    mtu: int
    bridge: int
    bridge_name: str
    netns_fd: int
    address: IPv4Address
    prefix_len: int
    gateway: IPv4Address | None
    hairpin: bool
    isolated: bool


def host_ifname(endpoint_id: str) -> str:
    """Name the host's end of an endpoint's pair."""
    return HOST_PREFIX + endpoint_id[:_ID_DIGITS]


def connect(route: Connection, inside: Connection, pair: Pair) -> None:
    """Create a pair and configure both ends; `inside` speaks to the container's network namespace.

    Raises:
        OSError: the kernel refused; the pair may exist half-made (`disconnect` removes it).
    """
    host_mac = b"\xfe" + pair.mac[1:]  # higher than any port's, should the bridge ever choose its own address
    host_end = rtnl.VethEnd(pair.host_ifname, host_mac, pair.mtu, pair.bridge)
    peer = rtnl.VethEnd(pair.ifname, pair.mac, pair.mtu, netns_fd=pair.netns_fd)
    requests = [rtnl.create_veth(host_end, peer), rtnl.no_ipv6_autoconf(pair.host_ifname)]
    if pair.hairpin or pair.isolated:
        requests.append(rtnl.set_bridge_port(pair.host_ifname, hairpin=pair.hairpin, isolated=pair.isolated))
    requests.append(rtnl.set_link(pair.host_ifname, up=True))
    route.execute(requests)
    replies = inside.execute(
        [
            rtnl_read.get_link_request(pair.ifname),
            rtnl.no_ipv6_autoconf(pair.ifname),
            rtnl.set_link(pair.ifname, up=True),
            rtnl.set_link("lo", up=True),
        ]
    )
    index = rtnl_read.read_link(replies[0]).index
    addressing = [rtnl.add_address(index, pair.address, pair.prefix_len)]
    if pair.gateway is not None:
        addressing.append(rtnl.add_route(None, pair.gateway, index))
    inside.execute(addressing)
    _settle(route, inside, pair)


def _settle(route: Connection, inside: Connection, pair: Pair) -> None:
    """Let both ends be up for the first packet. Otherwise one in eight containers loses it, and ARP waits a second."""
    settle_link(route.sock, pair.host_ifname)
    settle_link(route.sock, pair.bridge_name)  # its first port brings up the bridge's own end, too
    settle_link(inside.sock, pair.ifname)


def disconnect(route: Connection, host_ifnames: Sequence[str]) -> None:
    """Delete pairs; those that are gone already (with their namespace) are no error.

    One deletion waits about 10 ms for the kernel's grace periods, and so does one of many that share a group.
    """
    if len(host_ifnames) > 1:
        marked = route.attempt([rtnl.set_link(name, group=_DOOMED_GROUP) for name in host_ifnames])
        _raise_unless_gone(marked)
        _raise_unless_gone(route.attempt([rtnl.delete_group(_DOOMED_GROUP)]))
    elif host_ifnames:
        _raise_unless_gone(route.attempt([rtnl.delete_link(host_ifnames[0])]))


def _raise_unless_gone(failures: Iterable[OSError | None]) -> None:
    for failure in failures:
        if failure is not None and failure.errno != errno.ENODEV:
            raise failure


def pairs_on(route: Connection, bridges: Iterable[int]) -> set[str]:
    """Name our pairs' host ends on these bridges. Other bridges are other people's, whatever their ports are called."""
    indices = set(bridges)
    return {
        link.name
        for link in rtnl_read.links(route)
        if link.master in indices and link.kind == "veth" and link.name.startswith(HOST_PREFIX)
    }
