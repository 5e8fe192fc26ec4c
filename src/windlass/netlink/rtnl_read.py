"""What the kernel says about links, addresses and routes.

Source: rtnetlink(7); Linux include/uapi/linux/{rtnetlink,if_link,if_addr}.h.
"""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from windlass.netlink import codec, rtnl
from windlass.netlink.connection import Connection, Request

_RTN_UNICAST = 1


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface. `master` is the index of the bridge it is a port of, or 0; `kind` is empty for hardware."""

    index: int
    name: str
    up: bool
    mtu: int
    mac: bytes
    master: int
    kind: str
    alias: str


@dataclass(frozen=True, slots=True)
class LinkAddress:
    """An address of a link."""

    link: int
    address: IPv4Address | IPv6Address
    prefix_len: int


@dataclass(frozen=True, slots=True)
class Route:
    """A unicast route of any table; the default route is the network of prefix length 0; `link` 0 means several."""

    destination: IPv4Network | IPv6Network
    gateway: IPv4Address | IPv6Address | None
    link: int
    table: int


def links(connection: Connection) -> list[Link]:
    """List all links."""
    request = Request(rtnl.RTM_GETLINK, 0, rtnl.LINK_HEADER.pack(0, 0, 0, 0, 0), "list links")
    return [_link(reply) for reply in connection.dump(request)]


def get_link_request(name: str) -> Request:
    """Ask for one link by name; to be read with `read_link`."""
    payload = rtnl.LINK_HEADER.pack(0, 0, 0, 0, 0) + codec.string(rtnl.IFLA_IFNAME, name)
    return Request(rtnl.RTM_GETLINK, 0, payload, f"look up link {name}")


def read_link(replies: list[codec.Message]) -> Link:
    """Read the reply to `get_link_request`."""
    return _link(replies[0])


def find_link(connection: Connection, name: str) -> Link | None:
    """Return the link of that name, or None."""
    try:
        return read_link(connection.execute([get_link_request(name)])[0])
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        return None


def _link(reply: codec.Message) -> Link:
    _family, _type, index, flags, _change = rtnl.LINK_HEADER.unpack_from(reply.payload)
    attrs = codec.attributes(reply.payload, rtnl.LINK_HEADER.size)
    info = codec.attributes(attrs.get(rtnl.IFLA_LINKINFO, b""))
    return Link(
        index=index,
        name=codec.read_string(attrs.get(rtnl.IFLA_IFNAME, b"")),
        up=bool(flags & rtnl.IFF_UP),
        mtu=codec.read_u32(attrs[rtnl.IFLA_MTU]) if rtnl.IFLA_MTU in attrs else 0,
        mac=attrs.get(rtnl.IFLA_ADDRESS, b""),
        master=codec.read_u32(attrs[rtnl.IFLA_MASTER]) if rtnl.IFLA_MASTER in attrs else 0,
        kind=codec.read_string(info.get(rtnl.IFLA_INFO_KIND, b"")),
        alias=codec.read_string(attrs.get(rtnl.IFLA_IFALIAS, b"")),
    )


def addresses(connection: Connection, family: int = socket.AF_UNSPEC) -> list[LinkAddress]:
    """List the addresses of all links, of one family or of both."""
    request = Request(rtnl.RTM_GETADDR, 0, rtnl.ADDRESS_HEADER.pack(family, 0, 0, 0, 0), "list addresses")
    found = (_address(reply) for reply in connection.dump(request))
    return [address for address in found if address is not None]


def _address(reply: codec.Message) -> LinkAddress | None:
    family, prefix_len, _flags, _scope, index = rtnl.ADDRESS_HEADER.unpack_from(reply.payload)
    attrs = codec.attributes(reply.payload, rtnl.ADDRESS_HEADER.size)
    # On point-to-point links IFA_ADDRESS is the far end; IFA_LOCAL, where there is one, is ours.
    packed = attrs.get(rtnl.IFA_LOCAL) or attrs.get(rtnl.IFA_ADDRESS)
    address = _ip(family, packed)
    return None if address is None else LinkAddress(index, address, prefix_len)


def routes(connection: Connection, family: int = socket.AF_INET) -> list[Route]:
    """List the unicast routes of all tables, of one family."""
    header = rtnl.ROUTE_HEADER.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)
    found = (_route(reply) for reply in connection.dump(Request(rtnl.RTM_GETROUTE, 0, header, "list routes")))
    return [route for route in found if route is not None]


def _route(reply: codec.Message) -> Route | None:
    family, prefix_len, _src, _tos, table, _proto, _scope, kind, _flags = rtnl.ROUTE_HEADER.unpack_from(reply.payload)
    if kind != _RTN_UNICAST or family not in (socket.AF_INET, socket.AF_INET6):
        return None
    attrs = codec.attributes(reply.payload, rtnl.ROUTE_HEADER.size)
    size = 4 if family == socket.AF_INET else 16
    start = attrs.get(rtnl.RTA_DST, bytes(size))
    network = (
        IPv4Network((start, prefix_len)) if family == socket.AF_INET else IPv6Network((start, prefix_len), strict=False)
    )
    return Route(
        destination=network,
        gateway=_ip(family, attrs.get(rtnl.RTA_GATEWAY)),
        link=codec.read_u32(attrs[rtnl.RTA_OIF]) if rtnl.RTA_OIF in attrs else 0,
        table=codec.read_u32(attrs[rtnl.RTA_TABLE]) if rtnl.RTA_TABLE in attrs else table,
    )


def _ip(family: int, packed: bytes | None) -> IPv4Address | IPv6Address | None:
    if packed is None:
        return None
    if family == socket.AF_INET:
        return IPv4Address(packed)
    return IPv6Address(packed) if family == socket.AF_INET6 else None
