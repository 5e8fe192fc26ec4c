"""Requests that change links, addresses and routes.

Each function returns a `Request`; several go to the kernel in one `Connection.execute`. A link is named by index
or by name; the kernel resolves names itself, so a batch may use a link that it creates.

Source: rtnetlink(7); Linux include/uapi/linux/{rtnetlink,if_link,if_addr,veth}.h.
"""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from windlass.netlink import codec
from windlass.netlink.connection import Request

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26

IFF_UP = 0x1

IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK = 1, 3, 4, 5
IFLA_MASTER, IFLA_PROTINFO, IFLA_LINKINFO, IFLA_IFALIAS = 10, 12, 18, 20
IFLA_AF_SPEC, IFLA_GROUP, IFLA_NET_NS_FD = 26, 27, 28
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
_IFLA_INFO_SLAVE_KIND, _IFLA_INFO_SLAVE_DATA = 4, 5
_VETH_INFO_PEER = 1
_IFLA_BRPORT_MODE, _IFLA_BRPORT_ISOLATED = 4, 33
_IFLA_INET6_ADDR_GEN_MODE = 8
_IN6_ADDR_GEN_MODE_NONE = 1

IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST = 1, 2, 4
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_TABLE = 1, 4, 5, 15
_RT_TABLE_MAIN, _RTPROT_BOOT = 254, 3
_RT_SCOPE_UNIVERSE, _RT_SCOPE_LINK, _RTN_UNICAST = 0, 253, 1

LINK_HEADER = struct.Struct("=BxHiII")
ADDRESS_HEADER = struct.Struct("=BBBBI")
ROUTE_HEADER = struct.Struct("=BBBBBBBBI")

LinkRef = int | str
IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class VethEnd:
    """One end of a pair. `netns_fd` puts it in another network namespace; `master` is a bridge's index."""

    name: str
    mac: bytes | None = None
    mtu: int = 0
    master: int = 0
    netns_fd: int = -1


def create_bridge(name: str, mac: bytes, mtu: int = 0) -> Request:
    """Create a bridge whose address stays `mac` (a bridge left to itself takes its lowest port's)."""
    payload = (
        LINK_HEADER.pack(0, 0, 0, 0, 0)
        + _link_attributes(name, mac, mtu)
        + codec.nested(IFLA_LINKINFO, codec.string(IFLA_INFO_KIND, "bridge"))
    )
    return Request(RTM_NEWLINK, codec.NLM_F_CREATE | codec.NLM_F_EXCL, payload, f"create bridge {name}")


def create_veth(end: VethEnd, peer: VethEnd) -> Request:
    """Create a pair of connected interfaces, both down, each at once in its own network namespace."""
    peer_info = LINK_HEADER.pack(0, 0, 0, 0, 0) + _end_attributes(peer)
    payload = (
        LINK_HEADER.pack(0, 0, 0, 0, 0)
        + _end_attributes(end)
        + codec.nested(
            IFLA_LINKINFO,
            codec.string(IFLA_INFO_KIND, "veth"),
            codec.nested(IFLA_INFO_DATA, codec.attribute(_VETH_INFO_PEER | codec.NLA_F_NESTED, peer_info)),
        )
    )
    return Request(RTM_NEWLINK, codec.NLM_F_CREATE | codec.NLM_F_EXCL, payload, f"create veth {end.name}")


def _end_attributes(end: VethEnd) -> bytes:
    data = _link_attributes(end.name, end.mac, end.mtu)
    if end.master:
        data += codec.u32(IFLA_MASTER, end.master)
    if end.netns_fd >= 0:
        data += codec.u32(IFLA_NET_NS_FD, end.netns_fd)
    return data


def _link_attributes(name: str, mac: bytes | None, mtu: int) -> bytes:
    data = codec.string(IFLA_IFNAME, name) if name else b""
    if mac is not None:
        data += codec.attribute(IFLA_ADDRESS, mac)
    if mtu:
        data += codec.u32(IFLA_MTU, mtu)
    return data


def set_link(
    link: LinkRef,
    *,
    up: bool | None = None,
    mac: bytes | None = None,
    mtu: int = 0,
    rename: str = "",
    master: int | None = None,
    alias: str | None = None,
    group: int | None = None,
    netns_fd: int = -1,
) -> Request:
    """Change what is given of a link; `master` 0 takes it off its bridge. Before Linux 6.2, rename while down."""
    data = _name_attribute(link) + _link_attributes(rename, mac, mtu)
    if master is not None:
        data += codec.u32(IFLA_MASTER, master)
    if alias is not None:
        data += codec.attribute(IFLA_IFALIAS, alias.encode())
    if group is not None:
        data += codec.u32(IFLA_GROUP, group)
    if netns_fd >= 0:
        data += codec.u32(IFLA_NET_NS_FD, netns_fd)
    return Request(RTM_SETLINK, 0, _link_header(link, up) + data, f"change link {link}")


def _link_header(link: LinkRef, up: bool | None = None, family: int = socket.AF_UNSPEC) -> bytes:
    index = link if isinstance(link, int) else 0
    return LINK_HEADER.pack(family, 0, index, IFF_UP if up else 0, 0 if up is None else IFF_UP)


def no_ipv6_autoconf(link: LinkRef) -> Request:
    """Keep the kernel from giving the link a link-local IPv6 address when it comes up.

    Where there is no IPv6 (`ipv6.disable=1`, or an MTU below IPv6's minimum), there is nothing to keep it from.
    """
    mode = codec.u8(_IFLA_INET6_ADDR_GEN_MODE, _IN6_ADDR_GEN_MODE_NONE)
    payload = (
        _link_header(link) + _name_attribute(link) + codec.nested(IFLA_AF_SPEC, codec.nested(socket.AF_INET6, mode))
    )
    return Request(RTM_SETLINK, 0, payload, f"turn off IPv6 addresses on {link}", (errno.EAFNOSUPPORT,))


def set_bridge_port(link: LinkRef, *, hairpin: bool, isolated: bool) -> Request:
    """Set a port's flags: `hairpin` lets a frame go back out where it came in; isolated ports do not meet."""
    flags = codec.u8(_IFLA_BRPORT_MODE, hairpin) + codec.u8(_IFLA_BRPORT_ISOLATED, isolated)
    info = codec.nested(
        IFLA_LINKINFO, codec.string(_IFLA_INFO_SLAVE_KIND, "bridge"), codec.nested(_IFLA_INFO_SLAVE_DATA, flags)
    )
    # Not RTM_SETLINK of family AF_BRIDGE: that one finds links by index only.
    return Request(RTM_NEWLINK, 0, _link_header(link) + _name_attribute(link) + info, f"set bridge port {link}")


def _name_attribute(link: LinkRef) -> bytes:
    return codec.string(IFLA_IFNAME, link) if isinstance(link, str) else b""


def delete_link(link: LinkRef) -> Request:
    """Delete a link; of a veth pair, both ends."""
    return Request(RTM_DELLINK, 0, _link_header(link) + _name_attribute(link), f"delete link {link}")


def delete_group(group: int) -> Request:
    """Delete every link of a group, for the price of one: the kernel waits for its grace periods once."""
    return Request(RTM_DELLINK, 0, _link_header(0) + codec.u32(IFLA_GROUP, group), f"delete link group {group}")


def add_address(index: int, address: IPAddress, prefix_len: int) -> Request:
    """Give a link an address, or leave the same address as it is; IPv4 also gets its subnet's broadcast address."""
    return _address(RTM_NEWADDR, codec.NLM_F_CREATE | codec.NLM_F_REPLACE, index, address, prefix_len, "add")


def delete_address(index: int, address: IPAddress, prefix_len: int) -> Request:
    """Take an address from a link."""
    return _address(RTM_DELADDR, 0, index, address, prefix_len, "delete")


def _address(kind: int, flags: int, index: int, address: IPAddress, prefix_len: int, verb: str) -> Request:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    packed = address.packed
    payload = ADDRESS_HEADER.pack(family, prefix_len, 0, _RT_SCOPE_UNIVERSE, index)
    payload += codec.attribute(IFA_LOCAL, packed) + codec.attribute(IFA_ADDRESS, packed)
    if address.version == 4 and prefix_len < 31:
        broadcast = int(address) | ((1 << (32 - prefix_len)) - 1)
        payload += codec.attribute(IFA_BROADCAST, broadcast.to_bytes(4, "big"))
    return Request(kind, flags, payload, f"{verb} address {address}/{prefix_len} on link {index}")


def add_route(destination: IPNetwork | None, gateway: IPAddress | None, index: int) -> Request:
    """Add a route in the main table; `destination` None is the default route.

    Raises:
        ValueError: neither a destination nor a gateway tells the address family.
    """
    known = destination or gateway
    if known is None:
        raise ValueError("a route needs a destination or a gateway")
    family = socket.AF_INET if known.version == 4 else socket.AF_INET6
    prefix_len = destination.prefixlen if destination else 0
    scope = _RT_SCOPE_UNIVERSE if gateway or family == socket.AF_INET6 else _RT_SCOPE_LINK
    payload = ROUTE_HEADER.pack(family, prefix_len, 0, 0, _RT_TABLE_MAIN, _RTPROT_BOOT, scope, _RTN_UNICAST, 0)
    if destination is not None and prefix_len:
        payload += codec.attribute(RTA_DST, destination.network_address.packed)
    if gateway is not None:
        payload += codec.attribute(RTA_GATEWAY, gateway.packed)
    payload += codec.u32(RTA_OIF, index)
    what = f"add route {destination or 'default'} via {gateway or 'link'} on link {index}"
    return Request(RTM_NEWROUTE, codec.NLM_F_CREATE | codec.NLM_F_EXCL, payload, what)
