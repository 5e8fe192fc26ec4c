"""What nf_tables holds: tables, chains, set elements.

Source: Linux include/uapi/linux/netfilter/nf_tables.h.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass

from windlass.netlink import codec, nftables
from windlass.netlink.connection import Connection, Request

_GENERATION = ">BBH"
_HEADER_SIZE = 4


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain; of a base chain, `hook` (else -1) and `drops`, whether its policy is to drop."""

    family: int
    table: str
    name: str
    hook: int
    drops: bool


def _request(message: int, family: int, payload: bytes, what: str) -> Request:
    return Request(10 << 8 | message, 0, struct.pack(_GENERATION, family, 0, 0) + payload, what)


def tables(connection: Connection, family: int = nftables.NFPROTO_INET) -> list[str]:
    """List the names of a family's tables."""
    replies = connection.dump(_request(nftables.GETTABLE, family, b"", "list nftables tables"))
    return [codec.read_string(codec.attributes(reply.payload, _HEADER_SIZE)[1]) for reply in replies]


def chains(connection: Connection, family: int = nftables.NFPROTO_INET) -> list[Chain]:
    """List the chains of a family's tables (0: of all families)."""
    found = []
    for reply in connection.dump(_request(nftables.GETCHAIN, family, b"", "list nftables chains")):
        attrs = codec.attributes(reply.payload, _HEADER_SIZE)
        hook = codec.attributes(attrs.get(4, b""))
        found.append(
            Chain(
                family=reply.payload[0],
                table=codec.read_string(attrs[1]),
                name=codec.read_string(attrs[3]),
                hook=codec.read_be32(hook[1]) if 1 in hook else -1,
                drops=5 in attrs and codec.read_be32(attrs[5]) == 0,
            )
        )
    return found


def elements(connection: Connection, table: str, set_name: str) -> list[nftables.Element]:
    """List the elements of a set or map.

    Raises:
        OSError: ENOENT when there is no such set.
    """
    payload = codec.string(1, table) + codec.string(2, set_name)
    request = _request(nftables.GETSETELEM, nftables.NFPROTO_INET, payload, f"list set {set_name}")
    found = []
    for reply in connection.dump(request):
        attrs = codec.attributes(reply.payload, _HEADER_SIZE)
        found += [_element(item) for _kind, item in codec.iter_attributes(attrs.get(3, b""))]
    return found


def _element(item: bytes) -> nftables.Element:
    attrs = codec.attributes(item)
    ends_range = 3 in attrs and bool(codec.read_be32(attrs[3]) & 1)
    return nftables.Element(_value(attrs, 1), _value(attrs, 2), _value(attrs, 10), ends_range)


def _value(attrs: dict[int, bytes], kind: int) -> bytes:
    return codec.attributes(attrs[kind]).get(1, b"") if kind in attrs else b""


def supported(connection: Connection) -> bool:
    """Tell whether this kernel has nf_tables and we may use it."""
    try:
        tables(connection)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, errno.ENOPROTOOPT):
            return False
        raise
    return True
