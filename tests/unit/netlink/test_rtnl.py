"""rtnetlink requests, byte for byte as iproute2 would send them."""

from __future__ import annotations

import sys
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest

from windlass.netlink import codec, rtnl

pytestmark = pytest.mark.skipif(sys.byteorder != "little", reason="golden bytes of a little-endian machine")

NO_LINK = "00" * 16


def tree(data: bytes, offset: int = 0) -> dict[int, bytes]:
    return codec.attributes(data, offset)


def test_bridge_is_created_exclusively() -> None:
    request = rtnl.create_bridge("wl0", bytes.fromhex("0242ac110001"), 1500)
    assert (request.kind, request.flags) == (16, 0x600)
    assert request.payload.hex() == (
        NO_LINK
        + "0800" "0300" "776c3000"  # IFLA_IFNAME
        "0a00" "0100" "0242ac110001" "0000"  # IFLA_ADDRESS
        "0800" "0400" "dc050000"  # IFLA_MTU
        "1000" "1280" "0b00" "0100" "62726964676500" "00"  # IFLA_LINKINFO { kind "bridge" }
    )  # fmt: skip


def test_veth_peer_is_born_in_its_namespace() -> None:
    request = rtnl.create_veth(rtnl.VethEnd("wl1", master=5), rtnl.VethEnd("eth0", bytes(6), 1400, netns_fd=9))
    outer = tree(request.payload, 16)
    assert codec.read_u32(outer[rtnl.IFLA_MASTER]) == 5
    info = tree(outer[rtnl.IFLA_LINKINFO])
    assert info[1] == b"veth\0"
    peer = tree(tree(info[2])[1], 16)
    assert peer[rtnl.IFLA_IFNAME] == b"eth0\0"
    assert codec.read_u32(peer[rtnl.IFLA_NET_NS_FD]) == 9
    assert codec.read_u32(peer[rtnl.IFLA_MTU]) == 1400
    assert rtnl.IFLA_NET_NS_FD not in outer


@pytest.mark.parametrize(("up", "flags"), [(True, "0100000001000000"), (False, "0000000001000000"), (None, "0" * 16)])
def test_link_is_set_up_down_or_left(up: bool | None, flags: str) -> None:
    assert rtnl.set_link(3, up=up).payload.hex() == "0000000003000000" + flags


def test_link_is_named_by_name_or_by_index() -> None:
    assert rtnl.delete_link(3).payload.hex() == "0000000003000000" + "0" * 16
    assert rtnl.delete_link("wl1").payload.hex() == NO_LINK + "08000300776c3100"


def test_ipv4_address_has_its_broadcast_address() -> None:
    assert rtnl.add_address(2, IPv4Address("172.17.0.2"), 16).payload.hex() == (
        "02" "10" "00" "00" "02000000"
        "0800" "0200" "ac110002"
        "0800" "0100" "ac110002"
        "0800" "0400" "ac11ffff"
    )  # fmt: skip


def test_point_to_point_and_ipv6_addresses_have_none() -> None:
    assert 4 not in tree(rtnl.add_address(2, IPv4Address("10.0.0.0"), 31).payload, 8)
    assert 4 not in tree(rtnl.add_address(2, IPv6Address("fd00::2"), 64).payload, 8)


def test_default_route_has_no_destination() -> None:
    assert rtnl.add_route(None, IPv4Address("172.17.0.1"), 2).payload.hex() == (
        "02" "00" "00" "00" "fe" "03" "00" "01" "00000000"
        "0800" "0500" "ac110001"
        "0800" "0400" "02000000"
    )  # fmt: skip


def test_route_on_a_link_has_link_scope() -> None:
    payload = rtnl.add_route(IPv4Network("10.1.0.0/16"), None, 2).payload
    assert payload.hex() == "02100000fe03fd0100000000080001000a0100000800040002000000"
    with pytest.raises(ValueError, match="destination or a gateway"):
        rtnl.add_route(None, None, 2)
