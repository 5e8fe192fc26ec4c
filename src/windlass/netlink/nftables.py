"""nf_tables transactions: everything in a `Batch` happens at once, or nothing does.

Source: Linux include/uapi/linux/netfilter/{nfnetlink,nf_tables}.h.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from windlass.netlink import codec
from windlass.netlink.connection import Connection, error_of
from windlass.netlink.nft_expressions import Verdict, data_value

NFPROTO_INET = 1
NFPROTO_IPV4 = 2
NFPROTO_IPV6 = 10

_SUBSYSTEM = 10
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NFTA_LIST_ELEM = 1
_ELEMENTS_PER_MESSAGE = 500  # an attribute's length is 16 bits wide

NEWTABLE, GETTABLE, DELTABLE = 0, 1, 2
NEWCHAIN, GETCHAIN, DELCHAIN = 3, 4, 5
NEWRULE, GETRULE, DELRULE = 6, 7, 8
NEWSET, GETSET, DELSET = 9, 10, 11
NEWSETELEM, GETSETELEM, DELSETELEM = 12, 13, 14


class Hook(IntEnum):
    """Where in a packet's way a base chain sits."""

    PREROUTING = 0
    INPUT = 1
    FORWARD = 2
    OUTPUT = 3
    POSTROUTING = 4


class Type(IntEnum):
    """Types of set keys and data, as nft(8) numbers them for its own listing."""

    IPV4_ADDR = 7
    INET_PROTO = 12
    INET_SERVICE = 13
    IFNAME = 41


_TYPE_SIZE = {Type.IPV4_ADDR: 4, Type.INET_PROTO: 1, Type.INET_SERVICE: 2, Type.IFNAME: 16}
_TYPE_BITS = 6
_ELEMENT_INTERVAL_END = 1
# A note for nft(8), kept by the kernel unread: without it, `nft list` shows interface names backwards.
_HOST_ORDER_KEY = struct.pack("=BBI", 0, 4, 1)


class SetFlag(IntFlag):
    """Properties of a set."""

    NONE = 0
    INTERVAL = 0x4
    MAP = 0x8
    CONCAT = 0x80


@dataclass(frozen=True, slots=True)
class SetSpec:
    """A set, or with `data` a map. With INTERVAL, keys are ranges; several key types make a concatenation."""

    name: str
    key: tuple[Type, ...]
    data: tuple[Type, ...] = ()
    flags: SetFlag = SetFlag.NONE


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a set; keys are packed fields.

    A range in a concatenation has `key_end`, inclusive. A range of a plain key is two elements, the second with
    `ends_range` and the first key behind the range.
    """

    key: bytes
    data: bytes = b""
    key_end: bytes = b""
    ends_range: bool = False


def pack_fields(*fields: bytes) -> bytes:
    """Lay fields out as a concatenation: each padded to four bytes."""
    return b"".join(field + bytes(-len(field) % 4) for field in fields)


def pack_ifname(name: str) -> bytes:
    """Encode an interface name as nf_tables compares it: 16 bytes, padded with NUL."""
    return name.encode().ljust(16, b"\0")


class Batch:
    """A transaction on one table, built step by step."""

    def __init__(self, table: str, family: int = NFPROTO_INET) -> None:
        self.table = table
        self._family = family
        self._messages: list[tuple[int, int, bytes, str]] = []
        self._set_ids = 0

    def _add(self, kind: int, flags: int, payload: bytes, what: str) -> None:
        header = struct.pack(">BBH", self._family, 0, 0)
        self._messages.append((kind, flags, header + payload, what))

    def add_table(self) -> None:
        """Create the table, or leave it as it is."""
        self._add(NEWTABLE, codec.NLM_F_CREATE, codec.string(1, self.table), f"add table {self.table}")

    def delete_table(self) -> None:
        """Delete the table and all it holds; it must exist."""
        self._add(DELTABLE, 0, codec.string(1, self.table), f"delete table {self.table}")

    def add_chain(self, name: str) -> None:
        """Create a chain to jump to."""
        self._add(
            NEWCHAIN, codec.NLM_F_CREATE, codec.string(1, self.table) + codec.string(3, name), f"add chain {name}"
        )

    def add_base_chain(self, name: str, kind: str, hook: Hook, priority: int) -> None:
        """Create a chain that packets enter at `hook`, in order of `priority`; what it does not decide, passes.

        `kind` is filter, nat or route.
        """
        payload = (
            codec.string(1, self.table)
            + codec.string(3, name)
            + codec.nested(4, codec.be32(1, hook), codec.be32(2, priority))
            + codec.be32(5, Verdict.ACCEPT)
            + codec.string(7, kind)
        )
        self._add(NEWCHAIN, codec.NLM_F_CREATE, payload, f"add chain {name}")

    def add_rule(self, chain: str, *expressions: bytes) -> None:
        """Append a rule."""
        payload = codec.string(1, self.table) + codec.string(2, chain) + codec.nested(4, *expressions)
        self._add(NEWRULE, codec.NLM_F_CREATE | codec.NLM_F_APPEND, payload, f"add rule to chain {chain}")

    def flush_chain(self, name: str) -> None:
        """Delete a chain's rules; it must exist."""
        self._add(DELRULE, 0, codec.string(1, self.table) + codec.string(2, name), f"flush chain {name}")

    def delete_rule(self, chain: str, handle: int) -> None:
        """Delete one rule."""
        payload = codec.string(1, self.table) + codec.string(2, chain) + codec.be64(3, handle)
        self._add(DELRULE, 0, payload, f"delete rule {handle} of chain {chain}")

    def delete_chain(self, name: str) -> None:
        """Delete an empty chain that nothing jumps to."""
        self._add(DELCHAIN, 0, codec.string(1, self.table) + codec.string(3, name), f"delete chain {name}")

    def add_set(self, spec: SetSpec) -> None:
        """Create a set or map."""
        self._set_ids += 1
        flags = spec.flags | (SetFlag.MAP if spec.data else SetFlag.NONE)
        payload = (
            codec.string(1, self.table)
            + codec.string(2, spec.name)
            + codec.be32(3, flags)
            + codec.be32(4, _type_number(spec.key))
            + codec.be32(5, _type_length(spec.key))
        )
        if spec.data:
            payload += codec.be32(6, _type_number(spec.data)) + codec.be32(7, _type_length(spec.data))
        if SetFlag.CONCAT in spec.flags:
            payload += codec.nested(9, _field_lengths(spec.key))
        payload += codec.be32(10, self._set_ids)
        if spec.key == (Type.IFNAME,):
            payload += codec.attribute(13, _HOST_ORDER_KEY)
        self._add(NEWSET, codec.NLM_F_CREATE, payload, f"add set {spec.name}")

    def add_elements(self, set_name: str, elements: Iterable[Element]) -> None:
        """Put elements into a set; those there already are left, unless a map has other data for the key (EEXIST)."""
        self._elements(NEWSETELEM, codec.NLM_F_CREATE, set_name, list(elements), "add elements to")

    def delete_elements(self, set_name: str, elements: Iterable[Element]) -> None:
        """Take elements out of a set; they must be there (ENOENT)."""
        self._elements(DELSETELEM, 0, set_name, list(elements), "delete elements of")

    def _elements(self, kind: int, flags: int, set_name: str, elements: Sequence[Element], verb: str) -> None:
        for start in range(0, len(elements), _ELEMENTS_PER_MESSAGE):
            chunk = elements[start : start + _ELEMENTS_PER_MESSAGE]
            items = codec.nested(3, *(_encode_element(element) for element in chunk))
            payload = codec.string(1, self.table) + codec.string(2, set_name) + items
            self._add(kind, flags, payload, f"{verb} set {set_name}")

    def encode(self, first_sequence: int) -> bytes:
        """Encode the transaction; its messages are numbered from `first_sequence`, the begin marker's number.

        Only the last step asks for an acknowledgement: the kernel reports every failure unasked.
        """
        marker = struct.pack(">BBH", 0, 0, _SUBSYSTEM)
        parts = [codec.message(_BATCH_BEGIN, codec.NLM_F_REQUEST, first_sequence, marker)]
        last = len(self._messages) - 1
        for position, (kind, flags, payload, _what) in enumerate(self._messages):
            flags |= codec.NLM_F_REQUEST | (codec.NLM_F_ACK if position == last else 0)
            parts.append(codec.message(_SUBSYSTEM << 8 | kind, flags, first_sequence + 1 + position, payload))
        parts.append(codec.message(_BATCH_END, codec.NLM_F_REQUEST, first_sequence + 1 + len(self._messages), marker))
        return b"".join(parts)

    def commit(self, connection: Connection) -> None:
        """Apply the transaction.

        Raises:
            OSError: the kernel refused, and nothing has changed: the first refused step's errno and name.
        """
        if not self._messages:
            return
        acknowledged = False
        first, replies = connection.transact(self.encode, len(self._messages) + 2)
        for reply in replies:
            position = reply.sequence - first - 1
            if reply.kind != codec.NLMSG_ERROR or not -1 <= position <= len(self._messages):
                continue
            inside = 0 <= position < len(self._messages)
            failure = error_of(reply, self._messages[position][3] if inside else f"change table {self.table}")
            if failure is not None:
                raise failure
            acknowledged = True
        if not acknowledged:
            raise OSError(errno.ENOBUFS, f"change table {self.table}: {os.strerror(errno.ENOBUFS)}")


def _encode_element(element: Element) -> bytes:
    attributes = [codec.nested(1, data_value(element.key))]
    if element.data:
        attributes.append(codec.nested(2, data_value(element.data)))
    if element.ends_range:
        attributes.append(codec.be32(3, _ELEMENT_INTERVAL_END))
    if element.key_end:
        attributes.append(codec.nested(10, data_value(element.key_end)))
    return codec.nested(_NFTA_LIST_ELEM, *attributes)


def _type_number(types: tuple[Type, ...]) -> int:
    """nft(8) numbers a concatenation by its fields' numbers, six bits each."""
    number = 0
    for kind in types:
        number = number << _TYPE_BITS | kind
    return number


def _type_length(types: tuple[Type, ...]) -> int:
    if len(types) == 1:
        return _TYPE_SIZE[types[0]]
    return sum((_TYPE_SIZE[kind] + 3) & ~3 for kind in types)


def _field_lengths(types: tuple[Type, ...]) -> bytes:
    fields = (codec.nested(_NFTA_LIST_ELEM, codec.be32(1, (_TYPE_SIZE[kind] + 3) & ~3)) for kind in types)
    return codec.nested(2, *fields)
