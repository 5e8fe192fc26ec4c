"""Addresses are handed out once, in turn, and only those of the subnet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from windlass.network.errors import AddressesExhausted, AddressInUse, InvalidAddress
from windlass.network.ipam import AddressPool


def pool(subnet: str = "172.17.0.0/16", gateway: str = "172.17.0.1") -> AddressPool:
    return AddressPool(IPv4Network(subnet), IPv4Address(gateway), "bridge (abc)")


def test_addresses_come_in_order_after_the_gateway() -> None:
    p = pool()
    assert [str(p.allocate()) for _ in range(3)] == ["172.17.0.2", "172.17.0.3", "172.17.0.4"]


def test_freed_address_is_not_the_next() -> None:
    p = pool()
    first = p.allocate()
    p.release(first)
    assert p.allocate() != first


def test_freed_address_comes_again_after_the_round() -> None:
    p = pool("10.0.0.0/29", "10.0.0.1")
    taken = [p.allocate() for _ in range(5)]
    p.release(taken[2])
    assert p.allocate() == taken[2]


def test_network_broadcast_and_gateway_are_nobodys() -> None:
    p = pool("10.0.0.0/29", "10.0.0.6")
    taken = {str(p.allocate()) for _ in range(5)}
    assert taken == {f"10.0.0.{n}" for n in (1, 2, 3, 4, 5)}
    with pytest.raises(
        AddressesExhausted, match=r"^no available IPv4 addresses on this network's address pools: bridge \(abc\)$"
    ):
        p.allocate()


def test_wish_is_granted_once() -> None:
    p = pool()
    assert str(p.allocate(IPv4Address("172.17.0.2"))) == "172.17.0.2"
    assert str(p.allocate()) == "172.17.0.3"
    with pytest.raises(AddressInUse, match=r"^Address already in use$"):
        p.allocate(IPv4Address("172.17.0.2"))
    with pytest.raises(AddressInUse):
        p.allocate(IPv4Address("172.17.0.1"))


@pytest.mark.parametrize("address", ["172.17.0.0", "172.17.255.255", "172.18.0.1", "0.0.0.0"])
def test_wish_for_what_is_not_there_is_refused(address: str) -> None:
    with pytest.raises(InvalidAddress, match=f"^invalid address {address}: It does not belong"):
        pool().allocate(IPv4Address(address))


def test_gateway_is_never_freed() -> None:
    p = pool()
    p.release(IPv4Address("172.17.0.1"))
    with pytest.raises(AddressInUse):
        p.allocate(IPv4Address("172.17.0.1"))


def test_restored_addresses_are_taken_and_the_round_goes_on_behind_them() -> None:
    p = pool()
    p.restore([IPv4Address("172.17.0.7"), IPv4Address("10.0.0.1")])
    assert str(p.allocate()) == "172.17.0.8"
    with pytest.raises(AddressInUse):
        p.allocate(IPv4Address("172.17.0.7"))
    assert p.used == 2


@pytest.mark.parametrize(("subnet", "count"), [("10.0.0.0/31", 1), ("10.0.0.0/30", 1), ("10.0.0.0/28", 13)])
def test_small_subnets_hold_what_they_can(subnet: str, count: int) -> None:
    network = IPv4Network(subnet)
    p = pool(subnet, str(next(network.hosts())))
    for _ in range(count):
        p.allocate()
    with pytest.raises(AddressesExhausted):
        p.allocate()


@given(st.integers(16, 31), st.data())
@settings(max_examples=50)
def test_gateway_anywhere_in_any_subnet(prefix_len: int, data: st.DataObject) -> None:
    network = IPv4Network((0x0A000000, prefix_len))
    gateway = data.draw(st.integers(int(network[0]), int(network[-1])).map(IPv4Address))
    p = AddressPool(network, gateway, "net")
    usable = set(network.hosts()) - {gateway}
    for _ in range(min(len(usable), 20)):
        usable.remove(p.allocate())


class Addresses(RuleBasedStateMachine):
    """Random allocation, wishes and releases against a plain set."""

    def __init__(self) -> None:
        super().__init__()
        self.network = IPv4Network("10.0.0.0/28")
        self.usable = set(self.network.hosts()) - {self.network[1]}
        self.pool = AddressPool(self.network, self.network[1], "net")
        self.held: set[IPv4Address] = set()

    @precondition(lambda self: self.held < self.usable)
    @rule()
    def allocate(self) -> None:
        address = self.pool.allocate()
        assert address in self.usable - self.held
        self.held.add(address)

    @precondition(lambda self: self.held == self.usable)
    @rule()
    def exhausted(self) -> None:
        with pytest.raises(AddressesExhausted):
            self.pool.allocate()

    @rule(offset=st.integers(0, 15))
    def wish(self, offset: int) -> None:
        address = self.network[offset]
        if address in self.usable - self.held:
            assert self.pool.allocate(address) == address
            self.held.add(address)
        else:
            with pytest.raises((AddressInUse, InvalidAddress)):
                self.pool.allocate(address)

    @rule(offset=st.integers(0, 15))
    def release(self, offset: int) -> None:
        self.pool.release(self.network[offset])
        self.held.discard(self.network[offset])

    @invariant()
    def counts(self) -> None:
        assert self.pool.used == len(self.held)


TestAddresses = Addresses.TestCase
TestAddresses.settings = settings(max_examples=40, stateful_step_count=40)
