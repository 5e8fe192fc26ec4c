"""Probes of the network: they ask the kernel over netlink, and leave nothing behind.

Source: linux/netlink.h, linux/rtnetlink.h, linux/netfilter/nf_tables.h; rtnetlink(7).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Callable

from windlass.host.check import Absent, Limited

_HEADER = struct.Struct("=IHHII")
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_EXCL, _NLM_F_CREATE = 1, 4, 0x200, 0x400
_NLMSG_ERROR = 2

_NETLINK_NETFILTER = 12
_NFT_MSG_GETGEN = 10 << 8 | 16

_RTM_NEWLINK = 16
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_INFO_KIND = 1, 3, 18, 1


def nftables() -> str:
    """The kernel answers to nf_tables."""
    reply = _ask(_NETLINK_NETFILTER, _NFT_MSG_GETGEN, 0, struct.pack("=BBH", 0, 0, 0))
    if reply:
        raise _refusal(reply)
    return "answers"


def link_kind(kind: str) -> Callable[[], str]:
    """Return a probe for links of `kind`, such as "bridge".

    It asks for one with a hardware address of two bytes. A kernel that knows the kind refuses the address (EINVAL),
    before it makes anything; one that does not refuses the kind (EOPNOTSUPP), after it tried to load the module.
    """

    def probe() -> str:
        attributes = (
            _attribute(_IFLA_IFNAME, b"windlass-probe\0")
            + _attribute(_IFLA_ADDRESS, b"\0\0")
            + _attribute(_IFLA_LINKINFO, _attribute(_IFLA_INFO_KIND, kind.encode()))
        )
        reply = _ask(socket.NETLINK_ROUTE, _RTM_NEWLINK, _NLM_F_CREATE | _NLM_F_EXCL, bytes(16) + attributes)
        if reply != errno.EINVAL:
            raise _refusal(reply)
        return "present"

    return probe


def forwarding() -> str:
    """IPv4 forwarding is on, or can be turned on."""
    path = "/proc/sys/net/ipv4/ip_forward"
    with open(path, encoding="ascii") as file:
        if file.read().strip() == "1":
            return "on"
    if os.access(path, os.W_OK) and not os.statvfs(path).f_flag & os.ST_RDONLY:
        return "off; windlassd turns it on"
    raise Limited("off, and /proc/sys is read-only")


def _refusal(reply: int) -> Absent | Limited:
    if reply == errno.EPERM:
        return Limited("unknown: only root may ask")
    return Absent(os.strerror(reply))


def _ask(family: int, kind: int, flags: int, payload: bytes) -> int:
    """Send one request and return the errno of the reply; 0 for an answer or an acknowledgement."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family) as channel:
        channel.settimeout(1.0)
        size = _HEADER.size + len(payload)
        channel.send(_HEADER.pack(size, kind, _NLM_F_REQUEST | _NLM_F_ACK | flags, 1, 0) + payload)
        reply = channel.recv(8192)
    if _HEADER.unpack_from(reply)[1] != _NLMSG_ERROR:
        return 0
    return -int(struct.unpack_from("=i", reply, _HEADER.size)[0])


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
