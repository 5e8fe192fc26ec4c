"""Forgetting connections.

A flow that was seen once keeps its translation for as long as packets come, whatever the rules say meanwhile. UDP has
no end of its own: a client that goes on sending never notices that the port was published, or that the container
behind it is another one.

Source: Linux include/uapi/linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address

from windlass.netlink import codec
from windlass.netlink.connection import Connection, Request

_SUBSYSTEM_CTNETLINK = 1
_CT_GET, _CT_DELETE = 1, 2
_CTA_TUPLE_ORIG, _CTA_TUPLE_REPLY, _CTA_FILTER = 1, 2, 25
_CTA_TUPLE_IP, _CTA_TUPLE_PROTO = 1, 2
_CTA_IP_V4_SRC = 1
_CTA_PROTO_NUM, _CTA_PROTO_DST_PORT = 1, 3
_CTA_FILTER_ORIG_FLAGS, _CTA_FILTER_REPLY_FLAGS = 1, 2
_BY_IP_SRC, _BY_PROTO_NUM = 1 << 0, 1 << 3
_HEADER = struct.pack(">BBH", socket.AF_INET, 0, 0)
# No conntrack in this kernel, or none over netlink.
_UNSUPPORTED = (errno.EOPNOTSUPP, errno.EINVAL, errno.EPROTONOSUPPORT)


def forget_ports(connection: Connection, protocol: int, ports: Collection[int]) -> int:
    """Forget the IPv4 flows that were first sent to any of `ports`, and return how many there were.

    Costs a walk through the whole table (10 ms where it is large), however many ports there are.
    """
    wanted = codec.nested(
        _CTA_TUPLE_ORIG, codec.nested(_CTA_TUPLE_PROTO, codec.u8(_CTA_PROTO_NUM, protocol))
    ) + codec.nested(_CTA_FILTER, codec.u32(_CTA_FILTER_ORIG_FLAGS, _BY_PROTO_NUM))
    keys = {port.to_bytes(2, "big") for port in ports}

    def matches(flow: dict[int, bytes]) -> bool:
        numbers = codec.attributes(codec.attributes(flow[_CTA_TUPLE_ORIG]).get(_CTA_TUPLE_PROTO, b""))
        return numbers.get(_CTA_PROTO_NUM) == bytes([protocol]) and numbers.get(_CTA_PROTO_DST_PORT) in keys

    return _forget(connection, filter(matches, _flows(connection, wanted)))


def forget_server(connection: Connection, address: IPv4Address) -> int:
    """Forget the IPv4 flows that `address` answers, by whatever address it was called, and return how many."""
    ip = codec.attribute(_CTA_IP_V4_SRC, address.packed)
    wanted = codec.nested(_CTA_TUPLE_REPLY, codec.nested(_CTA_TUPLE_IP, ip)) + codec.nested(
        _CTA_FILTER, codec.u32(_CTA_FILTER_REPLY_FLAGS, _BY_IP_SRC)
    )

    def matches(flow: dict[int, bytes]) -> bool:
        addresses = codec.attributes(codec.attributes(flow[_CTA_TUPLE_REPLY]).get(_CTA_TUPLE_IP, b""))
        return addresses.get(_CTA_IP_V4_SRC) == address.packed

    return _forget(connection, filter(matches, _flows(connection, wanted)))


def _flows(connection: Connection, wanted: bytes) -> list[dict[int, bytes]]:
    """List flows. Kernels before 5.8 know no filter and list all, so the caller looks again."""
    request = Request(_SUBSYSTEM_CTNETLINK << 8 | _CT_GET, 0, _HEADER + wanted, "list connections")
    try:
        replies = connection.dump(request)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return []
        raise
    return [codec.attributes(reply.payload, len(_HEADER)) for reply in replies]


def _forget(connection: Connection, flows: Iterable[dict[int, bytes]]) -> int:
    kind = _SUBSYSTEM_CTNETLINK << 8 | _CT_DELETE
    count = 0
    for flow in flows:
        original = codec.attribute(_CTA_TUPLE_ORIG | codec.NLA_F_NESTED, flow[_CTA_TUPLE_ORIG])
        failure = connection.attempt([Request(kind, 0, _HEADER + original, "forget a connection")])[0]
        if failure is None:
            count += 1
        elif failure.errno != errno.ENOENT:  # it may end by itself in the meantime
            raise failure
    return count
