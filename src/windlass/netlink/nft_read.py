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
    """A chain: `uses` counts its rules and the jumps to it; of a base chain, `hook` (else -1) and policy."""

    family: int
    table: str
    name: str
    hook: int
    drops: bool
    uses: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's handle, and its expressions as the kernel encodes them."""

    handle: int
    expressions: bytes


def _request(message: int, family: int, payload: bytes, what: str) -> Request:
    return Request(10 << 8 | message, 0, struct.pack(_GENERATION, family, 0, 0) + payload, what)


def tables(connection: Connection, family: int = nftables.NFPROTO_INET) -> list[str]:
    """List the names of a family's tables."""
    replies = connection.dump(_request(nftables.GETTABLE, family, b"", "list nftables tables"))
    return [codec.read_string(codec.attributes(reply.payload, _HEADER_SIZE)[1]) for reply in replies]


def find_chain(connection: Connection, family: int, table: str, name: str) -> Chain | None:
    """Return one chain, or None when it or its table does not exist."""
    payload = codec.string(1, table) + codec.string(3, name)
    try:
        replies = connection.execute([_request(nftables.GETCHAIN, family, payload, f"look up chain {name}")])
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return None
    return _chain(replies[0][0])


def _chain(reply: codec.Message) -> Chain:
    attrs = codec.attributes(reply.payload, _HEADER_SIZE)
    hook = codec.attributes(attrs.get(4, b""))
    return Chain(
        family=reply.payload[0],
        table=codec.read_string(attrs[1]),
        name=codec.read_string(attrs[3]),
        hook=codec.read_be32(hook[1]) if 1 in hook else -1,
        drops=5 in attrs and codec.read_be32(attrs[5]) == 0,
        uses=codec.read_be32(attrs[6]) if 6 in attrs else 0,
    )


def rules(connection: Connection, family: int, table: str, chain: str) -> list[Rule]:
    """List the rules of a chain, in order; none where there is no such chain."""
    payload = codec.string(1, table) + codec.string(2, chain)
    try:
        replies = connection.dump(_request(nftables.GETRULE, family, payload, f"list rules of chain {chain}"))
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return []
    found = [codec.attributes(reply.payload, _HEADER_SIZE) for reply in replies]
    return [Rule(codec.read_be64(attrs[3]), attrs.get(4, b"")) for attrs in found]


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
