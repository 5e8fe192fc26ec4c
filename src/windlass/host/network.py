"""Probes of the network: they ask the kernel over netlink, and leave nothing behind."""

from __future__ import annotations

import errno
import os

from windlass.host.check import Absent, Limited
from windlass.netlink import nft_read, rtnl
from windlass.netlink.connection import NETLINK_NETFILTER, NETLINK_ROUTE, Connection, Request

_PROBE_NAME = "windlass-probe"
# Two bytes where Ethernet has six: a kernel that knows the kind of link refuses this (EINVAL) before it makes anything.
_BAD_ADDRESS = b"\0\0"


def nftables() -> str:
    """The kernel answers to nf_tables."""
    with Connection.open(NETLINK_NETFILTER) as connection:
        try:
            nft_read.tables(connection)
        except OSError as error:
            raise _refusal(error) from error
    return "answers"


def bridge_links() -> str:
    """Bridges can be made."""
    return _known_kind(rtnl.create_bridge(_PROBE_NAME, _BAD_ADDRESS))


def veth_links() -> str:
    """Pairs of virtual Ethernet links can be made."""
    peer = rtnl.VethEnd(_PROBE_NAME + "-")
    return _known_kind(rtnl.create_veth(rtnl.VethEnd(_PROBE_NAME, mac=_BAD_ADDRESS), peer))


def forwarding() -> str:
    """IPv4 forwarding is on, or can be turned on."""
    path = "/proc/sys/net/ipv4/ip_forward"
    with open(path, encoding="ascii") as file:
        if file.read().strip() == "1":
            return "on"
    if os.access(path, os.W_OK) and not os.statvfs(path).f_flag & os.ST_RDONLY:
        return "off; windlassd turns it on"
    raise Limited("off, and this process may not turn it on")


def _known_kind(request: Request) -> str:
    """Read the kernel's answer to a request with a bad address: an unknown kind is refused for itself."""
    with Connection.open(NETLINK_ROUTE) as connection:
        (failure,) = connection.attempt([request])
    if failure is None or failure.errno != errno.EINVAL:
        raise _refusal(failure)
    return "present"


def _refusal(error: OSError | None) -> Absent | Limited:
    if error is None:
        return Absent("the kernel took an address of two bytes")
    if error.errno == errno.EPERM:
        return Limited("unknown: only root may ask")
    return Absent(error.strerror or str(error))
