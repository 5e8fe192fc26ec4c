"""Netlink messages and attributes as bytes; no I/O.

Integers in headers and in most attributes are in the host's byte order; nf_tables puts its integers in network
order. The helpers name the order they use.

Source: netlink(7); Linux include/uapi/linux/netlink.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

NLM_F_REQUEST = 0x001
NLM_F_MULTI = 0x002
NLM_F_ACK = 0x004
NLM_F_DUMP_INTR = 0x010
NLM_F_DUMP = 0x300
NLM_F_CAPPED = 0x100
NLM_F_ACK_TLVS = 0x200
NLM_F_REPLACE = 0x100
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_APPEND = 0x800

NLMSG_NOOP = 1
NLMSG_ERROR = 2
NLMSG_DONE = 3
NLMSG_OVERRUN = 4

NLA_F_NESTED = 0x8000
NLA_F_NET_BYTEORDER = 0x4000
_NLA_TYPE_MASK = 0x3FFF

HEADER_SIZE = 16
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")

_U8 = struct.Struct("=B")
_U16 = struct.Struct("=H")
_U32 = struct.Struct("=I")
_I32 = struct.Struct("=i")
_BE16 = struct.Struct(">H")
_BE32 = struct.Struct(">I")


class Message(NamedTuple):
    """One netlink message as it arrived; `payload` is what follows the 16-byte header."""

    kind: int
    flags: int
    sequence: int
    payload: bytes


class Truncated(ValueError):
    """A length field points past the end of the buffer."""


def message(kind: int, flags: int, sequence: int, payload: bytes) -> bytes:
    """Encode one message, padded to four bytes so that messages can follow one another in one datagram."""
    length = HEADER_SIZE + len(payload)
    return _HEADER.pack(length, kind, flags, sequence, 0) + payload + _PADDING[length & 3]


def iter_messages(data: bytes) -> Iterator[Message]:
    """Yield the messages of one datagram.

    Raises:
        Truncated: a message's length does not fit the datagram.
    """
    offset, end = 0, len(data)
    while end - offset >= HEADER_SIZE:
        length, kind, flags, sequence, _port = _HEADER.unpack_from(data, offset)
        if length < HEADER_SIZE or offset + length > end:
            raise Truncated(f"netlink message of {length} bytes at {offset} in a datagram of {end}")
        yield Message(kind, flags, sequence, data[offset + HEADER_SIZE : offset + length])
        offset += (length + 3) & ~3


def attribute(kind: int, payload: bytes) -> bytes:
    """Encode one attribute, padded to four bytes."""
    length = 4 + len(payload)
    return _ATTRIBUTE.pack(length, kind) + payload + _PADDING[length & 3]


def nested(kind: int, *attributes: bytes) -> bytes:
    """Encode an attribute that holds attributes."""
    return attribute(kind | NLA_F_NESTED, b"".join(attributes))


def u8(kind: int, value: int) -> bytes:
    """Encode an 8-bit attribute."""
    return attribute(kind, _U8.pack(value))


def u32(kind: int, value: int) -> bytes:
    """Encode a 32-bit attribute in the host's order."""
    return attribute(kind, _U32.pack(value))


def be16(kind: int, value: int) -> bytes:
    """Encode a 16-bit attribute in network order."""
    return attribute(kind, _BE16.pack(value))


def be32(kind: int, value: int) -> bytes:
    """Encode a 32-bit attribute in network order; negative values in two's complement."""
    return attribute(kind, _BE32.pack(value & 0xFFFFFFFF))


def be64(kind: int, value: int) -> bytes:
    """Encode a 64-bit attribute in network order."""
    return attribute(kind, value.to_bytes(8, "big"))


def string(kind: int, value: str) -> bytes:
    """Encode a NUL-terminated string attribute."""
    return attribute(kind, value.encode() + b"\0")


def iter_attributes(data: bytes, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield `(kind, payload)` of each attribute from `offset`, without the nesting and byte-order flags.

    Raises:
        Truncated: an attribute's length does not fit.
    """
    end = len(data)
    while end - offset >= 4:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4 or offset + length > end:
            raise Truncated(f"netlink attribute of {length} bytes at {offset} of {end}")
        yield kind & _NLA_TYPE_MASK, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def attributes(data: bytes, offset: int = 0) -> dict[int, bytes]:
    """Return the attributes from `offset` by kind; of a repeated kind, the last."""
    return dict(iter_attributes(data, offset))


def read_u32(payload: bytes) -> int:
    """Decode a 32-bit attribute in the host's order."""
    return int(_U32.unpack_from(payload)[0])


def read_i32(payload: bytes) -> int:
    """Decode a signed 32-bit attribute in the host's order."""
    return int(_I32.unpack_from(payload)[0])


def read_be32(payload: bytes) -> int:
    """Decode a 32-bit attribute in network order."""
    return int(_BE32.unpack_from(payload)[0])


def read_be64(payload: bytes) -> int:
    """Decode a 64-bit attribute in network order."""
    return int.from_bytes(payload[:8], "big")


def read_string(payload: bytes) -> str:
    """Decode a string attribute, with or without its NUL."""
    return payload.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
