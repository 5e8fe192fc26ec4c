"""The nftables table: static chains over sets, so that networks and ports come and go as elements, not as rules.

    prerouting raw      what claims to be from or for 127.0.0.0/8 and came over a wire is dropped (CVE-2020-8558)
    prerouting, output  destination of a published port -> container           maps publish_at, publish_any
    postrouting         source of what leaves a network -> the host            sets own, masquerade
    forward             what may pass to, from and between our bridges         sets bridges, internal, icc, uplinks

A packet enters a bridge from outside only if it belongs to a connection that was made, or redirected by a published
port: the address of a container is of no use to a neighbour who routes to it by way of this host.

Nothing here speaks of IPv6 but to refuse it: a network with IPv6 needs its own maps beside these.

Source: nft(8); Linux Documentation/networking/nf_conntrack-sysctl.rst.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address

from windlass.netlink import nft_expressions as nft
from windlass.netlink.nftables import (
    NFPROTO_IPV4,
    NFPROTO_IPV6,
    Batch,
    Element,
    Hook,
    SetFlag,
    SetSpec,
    Type,
    pack_fields,
    pack_ifname,
)
from windlass.network.model import NetworkConfig, PublishedPort
from windlass.network.port_table import ANY

BRIDGES, INTERNAL, ICC, OWN, MASQUERADE = "bridges", "internal", "icc", "own", "masquerade"
PUBLISH_ANY, PUBLISH_AT, UPLINKS = "publish_any", "publish_at", "uplinks"

_TO_PORT = (Type.IPV4_ADDR, Type.INET_SERVICE)
_SETS = (
    SetSpec(BRIDGES, (Type.IFNAME,)),
    SetSpec(INTERNAL, (Type.IFNAME,)),
    SetSpec(ICC, (Type.IFNAME, Type.IFNAME)),
    SetSpec(OWN, (Type.IPV4_ADDR, Type.IFNAME), flags=SetFlag.INTERVAL | SetFlag.CONCAT),
    SetSpec(MASQUERADE, (Type.IPV4_ADDR,), flags=SetFlag.INTERVAL),
    SetSpec(PUBLISH_ANY, (Type.INET_PROTO, Type.INET_SERVICE), data=_TO_PORT),
    SetSpec(PUBLISH_AT, (Type.IPV4_ADDR, Type.INET_PROTO, Type.INET_SERVICE), data=_TO_PORT),
    SetSpec(UPLINKS, (Type.IFNAME,)),
)

_PRIORITY_RAW, _PRIORITY_DSTNAT, _PRIORITY_FILTER, _PRIORITY_SRCNAT = -300, -100, 0, 100
_PROTOCOL_NUMBERS = {"tcp": 6, "udp": 17, "sctp": 132}
_R0, _R1, _R2 = nft.reg(0), nft.reg(1), nft.reg(2)
_SOURCE_OFFSET, _DESTINATION_OFFSET, _PORT_OFFSET = 12, 16, 2

_DROP = nft.verdict(nft.Verdict.DROP)
_ACCEPT = nft.verdict(nft.Verdict.ACCEPT)
_IPV4 = (nft.meta(nft.Meta.NFPROTO, _R0), nft.compare(_R0, nft.Compare.EQ, bytes([NFPROTO_IPV4])))
_IPV6 = (nft.meta(nft.Meta.NFPROTO, _R0), nft.compare(_R0, nft.Compare.EQ, bytes([NFPROTO_IPV6])))
_NOT_LOOPBACK_DEVICE = (nft.meta(nft.Meta.IIFNAME, _R0), nft.compare(_R0, nft.Compare.NEQ, pack_ifname("lo")))
_REDIRECTED = tuple(nft.ct_any(nft.CtKey.STATUS, nft.CT_STATUS_DNAT))
_ESTABLISHED = tuple(nft.ct_any(nft.CtKey.STATE, nft.CtState.ESTABLISHED | nft.CtState.RELATED))
_TO_LOCAL_ADDRESS = (
    nft.fib_address_type(nft.Fib.DADDR, _R0),
    nft.compare(_R0, nft.Compare.EQ, nft.host_u32(nft.ADDRESS_TYPE_LOCAL)),
)


@dataclass(frozen=True, slots=True)
class Change:
    """Elements to put into, or take out of, one set."""

    set_name: str
    elements: tuple[Element, ...]


def build_table(batch: Batch) -> None:
    """Add to `batch`: the table anew, whatever it held before, with its sets empty."""
    batch.add_table()  # so that there is one to delete
    batch.delete_table()
    batch.add_table()
    for spec in _SETS:
        batch.add_set(spec)
    _add_spoof_guard(batch)
    _add_publishing(batch)
    _add_masquerading(batch)
    _add_forwarding(batch)


def _add_spoof_guard(batch: Batch) -> None:
    batch.add_base_chain("raw", "filter", Hook.PREROUTING, _PRIORITY_RAW)
    for offset in (_DESTINATION_OFFSET, _SOURCE_OFFSET):
        first_byte = (
            nft.payload(nft.Base.NETWORK, offset, 1, _R0),
            nft.compare(_R0, nft.Compare.EQ, bytes([127])),
        )
        batch.add_rule("raw", *_IPV4, *_NOT_LOOPBACK_DEVICE, *first_byte, _DROP)


def _add_publishing(batch: Batch) -> None:
    batch.add_chain("publish")
    protocol_and_port = (
        nft.meta(nft.Meta.L4PROTO, _R1),
        nft.payload(nft.Base.TRANSPORT, _PORT_OFFSET, 2, _R2),
    )
    redirect = nft.dnat(NFPROTO_IPV4, _R0, _R1)
    destination = nft.payload(nft.Base.NETWORK, _DESTINATION_OFFSET, 4, _R0)
    batch.add_rule("publish", *_IPV4, destination, *protocol_and_port, nft.lookup(PUBLISH_AT, _R0, into=_R0), redirect)
    batch.add_rule(
        "publish", *_IPV4, *_TO_LOCAL_ADDRESS, *protocol_and_port, nft.lookup(PUBLISH_ANY, _R1, into=_R0), redirect
    )
    for name, hook in (("prerouting", Hook.PREROUTING), ("output", Hook.OUTPUT)):
        batch.add_base_chain(name, "nat", hook, _PRIORITY_DSTNAT)
        batch.add_rule(name, nft.verdict(nft.Verdict.JUMP, "publish"))


def _add_masquerading(batch: Batch) -> None:
    batch.add_base_chain("postrouting", "nat", Hook.POSTROUTING, _PRIORITY_SRCNAT)
    stays_inside = (
        nft.payload(nft.Base.NETWORK, _SOURCE_OFFSET, 4, _R0),
        nft.meta(nft.Meta.OIFNAME, _R1),
        nft.lookup(OWN, _R0),
    )
    # A container that calls its own network's published port must see the answer come back by way of the host.
    batch.add_rule("postrouting", *_IPV4, *stays_inside, *_REDIRECTED, nft.masquerade())
    batch.add_rule("postrouting", *_IPV4, *stays_inside, _ACCEPT)
    # A process of the host that calls 127.0.0.1: no container could answer to that address.
    loopback_source = (nft.payload(nft.Base.NETWORK, _SOURCE_OFFSET, 1, _R0), nft.compare(_R0, nft.Compare.EQ, b"\x7f"))
    batch.add_rule("postrouting", *_IPV4, *loopback_source, *_leaves_by(BRIDGES), *_REDIRECTED, nft.masquerade())
    source = nft.payload(nft.Base.NETWORK, _SOURCE_OFFSET, 4, _R0)
    batch.add_rule("postrouting", *_IPV4, source, nft.lookup(MASQUERADE, _R0), nft.masquerade())


def _add_forwarding(batch: Batch) -> None:
    batch.add_chain("inbound")
    batch.add_rule("inbound", *_leaves_by(INTERNAL), _DROP)
    batch.add_rule("inbound", *_enters_by(INTERNAL), _DROP)
    batch.add_rule("inbound", *_REDIRECTED, _ACCEPT)
    batch.add_rule("inbound", _DROP)
    batch.add_chain("outbound")
    batch.add_rule("outbound", *_enters_by(INTERNAL), _DROP)
    batch.add_rule("outbound", *_IPV6, _DROP)
    batch.add_base_chain("forward", "filter", Hook.FORWARD, _PRIORITY_FILTER)
    batch.add_rule("forward", *_ESTABLISHED, _ACCEPT)
    between = (nft.meta(nft.Meta.IIFNAME, _R0), nft.meta(nft.Meta.OIFNAME, nft.reg(4)))
    batch.add_rule("forward", *between, nft.lookup(ICC, _R0), _ACCEPT)
    batch.add_rule("forward", *_leaves_by(BRIDGES), nft.verdict(nft.Verdict.GOTO, "inbound"))
    batch.add_rule("forward", *_enters_by(BRIDGES), nft.verdict(nft.Verdict.GOTO, "outbound"))
    batch.add_rule("forward", *_enters_by(UPLINKS), *_leaves_by(UPLINKS), _DROP)


def _enters_by(set_name: str) -> tuple[bytes, ...]:
    return nft.meta(nft.Meta.IIFNAME, _R0), nft.lookup(set_name, _R0)


def _leaves_by(set_name: str) -> tuple[bytes, ...]:
    return nft.meta(nft.Meta.OIFNAME, _R0), nft.lookup(set_name, _R0)


def network_elements(config: NetworkConfig) -> list[Change]:
    """Return what the sets hold for a network."""
    name = pack_ifname(config.bridge_name)
    first, last = config.subnet4.network_address, config.subnet4.broadcast_address
    own = Element(pack_fields(first.packed, name), key_end=pack_fields(last.packed, name))
    changes = [Change(BRIDGES, (Element(name),)), Change(OWN, (own,))]
    if config.internal:
        changes.append(Change(INTERNAL, (Element(name),)))
    if config.icc:
        changes.append(Change(ICC, (Element(name + name),)))
    if config.masquerade and not config.internal:
        behind = (int(last) + 1).to_bytes(5, "big")[1:]
        changes.append(Change(MASQUERADE, (Element(first.packed), Element(behind, ends_range=True))))
    return changes


def port_element(port: PublishedPort, container_ip: IPv4Address) -> Change:
    """Return what the maps hold for a published port."""
    protocol = bytes([_PROTOCOL_NUMBERS[port.protocol]])
    key = (protocol, port.host_port.to_bytes(2, "big"))
    target = pack_fields(container_ip.packed, port.container_port.to_bytes(2, "big"))
    if port.host_ip == ANY:
        return Change(PUBLISH_ANY, (Element(pack_fields(*key), target),))
    return Change(PUBLISH_AT, (Element(pack_fields(port.host_ip.packed, *key), target),))


def uplink_elements(names: Iterable[str]) -> Change:
    """Return what the sets hold to keep interfaces that were not routing before from routing now."""
    return Change(UPLINKS, tuple(Element(pack_ifname(name)) for name in names))
