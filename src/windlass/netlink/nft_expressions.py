"""nf_tables expressions: the instructions that rules are made of.

Each function returns one encoded expression. Registers are numbered as the kernel's 32-bit ones: `reg(0)` to
`reg(15)`; a value longer than four bytes takes the following registers too, which is how concatenations are laid out.

Source: Linux include/uapi/linux/netfilter/nf_tables.h; nft(8).
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag

from windlass.netlink import codec

_NFTA_LIST_ELEM = 1
_NFTA_EXPR_NAME, _NFTA_EXPR_DATA = 1, 2
_NFTA_DATA_VALUE, _NFTA_DATA_VERDICT = 1, 2
_NFTA_VERDICT_CODE, _NFTA_VERDICT_CHAIN = 1, 2
_NFT_REG_VERDICT, _NFT_REG32_00 = 0, 8


class Verdict(IntEnum):
    """What becomes of a packet, or where evaluation goes on."""

    DROP = 0
    ACCEPT = 1
    JUMP = -3
    GOTO = -4
    RETURN = -5


class Meta(IntEnum):
    """Facts about a packet that are not in it."""

    PROTOCOL = 1
    MARK = 3
    IIFNAME = 6
    OIFNAME = 7
    NFPROTO = 15
    L4PROTO = 16


class Compare(IntEnum):
    """Comparison operators."""

    EQ = 0
    NEQ = 1


class Base(IntEnum):
    """Where a payload offset counts from."""

    LINK = 0
    NETWORK = 1
    TRANSPORT = 2


class CtKey(IntEnum):
    """Facts about a packet's connection."""

    STATE = 0
    STATUS = 2


class CtState(IntFlag):
    """Bits of the connection's state as nf_tables numbers them."""

    INVALID = 1
    ESTABLISHED = 2
    RELATED = 4
    NEW = 8


CT_STATUS_DNAT = 1 << 5


class Fib(IntFlag):
    """What a lookup in the routing tables is made with."""

    SADDR = 1
    DADDR = 2
    IIF = 8


_FIB_RESULT_ADDRTYPE = 3
ADDRESS_TYPE_LOCAL = 2


def reg(number: int) -> int:
    """Return the kernel's number of 32-bit register `number` (0 to 15)."""
    return _NFT_REG32_00 + number


def host_u32(value: int) -> bytes:
    """Encode a number as expressions that yield numbers put it into a register: in the host's order."""
    return struct.pack("=I", value)


def data_value(value: bytes) -> bytes:
    """Encode a value, to be put inside an attribute of type nft_data."""
    return codec.attribute(_NFTA_DATA_VALUE, value)


def data_verdict(verdict: Verdict, chain: str = "") -> bytes:
    """Encode a verdict, to be put inside an attribute of type nft_data; `chain` for jumps."""
    inner = codec.be32(_NFTA_VERDICT_CODE, verdict)
    if chain:
        inner += codec.string(_NFTA_VERDICT_CHAIN, chain)
    return codec.nested(_NFTA_DATA_VERDICT, inner)


def _expression(name: str, *attributes: bytes) -> bytes:
    return codec.nested(
        _NFTA_LIST_ELEM, codec.string(_NFTA_EXPR_NAME, name), codec.nested(_NFTA_EXPR_DATA, *attributes)
    )


def meta(key: Meta, register: int) -> bytes:
    """Load a fact about the packet."""
    return _expression("meta", codec.be32(1, register), codec.be32(2, key))


def payload(base: Base, offset: int, length: int, register: int) -> bytes:
    """Load `length` bytes of the packet; a packet that is too short does not match the rule."""
    return _expression(
        "payload", codec.be32(1, register), codec.be32(2, base), codec.be32(3, offset), codec.be32(4, length)
    )


def compare(register: int, operator: Compare, value: bytes) -> bytes:
    """Go on with the rule only if the register compares so with `value`."""
    return _expression("cmp", codec.be32(1, register), codec.be32(2, operator), codec.nested(3, data_value(value)))


def bitwise_and(register: int, mask: bytes) -> bytes:
    """Replace the register by itself and `mask`."""
    return _expression(
        "bitwise",
        codec.be32(1, register),
        codec.be32(2, register),
        codec.be32(3, len(mask)),
        codec.nested(4, data_value(mask)),
        codec.nested(5, data_value(bytes(len(mask)))),
    )


def lookup(set_name: str, register: int, *, into: int | None = None, invert: bool = False) -> bytes:
    """Go on only if the set has the register's value (`invert`: has not); of a map, load the data `into` a register."""
    attributes = [codec.string(1, set_name), codec.be32(2, register)]
    if into is not None:
        attributes.append(codec.be32(3, into))
    if invert:
        attributes.append(codec.be32(5, 1))
    return _expression("lookup", *attributes)


def jump_target(expressions: bytes) -> str:
    """Return the chain that an encoded list of expressions jumps to, or nothing."""
    for _kind, item in codec.iter_attributes(expressions):
        attrs = codec.attributes(item)
        if codec.read_string(attrs.get(_NFTA_EXPR_NAME, b"")) != "immediate":
            continue
        data = codec.attributes(codec.attributes(attrs.get(_NFTA_EXPR_DATA, b"")).get(2, b""))
        inner = codec.attributes(data.get(_NFTA_DATA_VERDICT, b""))
        if _NFTA_VERDICT_CHAIN in inner:
            return codec.read_string(inner[_NFTA_VERDICT_CHAIN])
    return ""


def verdict(code: Verdict, chain: str = "") -> bytes:
    """End the rule with a verdict."""
    return _expression("immediate", codec.be32(1, _NFT_REG_VERDICT), codec.nested(2, data_verdict(code, chain)))


def ct(key: CtKey, register: int) -> bytes:
    """Load a fact about the connection, as a 32-bit number in the host's order."""
    return _expression("ct", codec.be32(1, register), codec.be32(2, key))


def ct_any(key: CtKey, bits: int) -> list[bytes]:
    """Go on only if any of `bits` is set in a fact about the connection."""
    zero = bytes(4)
    return [ct(key, reg(0)), bitwise_and(reg(0), host_u32(bits)), compare(reg(0), Compare.NEQ, zero)]


def fib_address_type(lookup_by: Fib, register: int) -> bytes:
    """Load the type (local, unicast ...) that the routing tables give an address, in the host's order."""
    return _expression("fib", codec.be32(1, register), codec.be32(2, _FIB_RESULT_ADDRTYPE), codec.be32(3, lookup_by))


def dnat(family: int, address_register: int, port_register: int) -> bytes:
    """Rewrite the destination from registers that hold an address and a port."""
    return _nat(1, family, address_register, port_register)


def _nat(kind: int, family: int, address_register: int, port_register: int | None) -> bytes:
    attributes = [codec.be32(1, kind), codec.be32(2, family), codec.be32(3, address_register)]
    if port_register is not None:
        attributes.append(codec.be32(5, port_register))
    return _expression("nat", *attributes)


def masquerade() -> bytes:
    """Rewrite the source to the outgoing interface's address."""
    return _expression("masq")


def counter() -> bytes:
    """Count packets and bytes that come this far."""
    return _expression("counter", codec.attribute(1, bytes(8)), codec.attribute(2, bytes(8)))
