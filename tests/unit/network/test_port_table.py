"""Host ports: conflicts, ranges, going round."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from windlass.network.errors import PortAllocated
from windlass.network.model import PublishedPort
from windlass.network.port_table import ANY, PortTable

LOCAL = IPv4Address("127.0.0.1")
OTHER = IPv4Address("192.0.2.1")


def published(port: int, ip: IPv4Address = ANY, protocol: str = "tcp") -> PublishedPort:
    return PublishedPort(80, protocol, ip, port)


@pytest.mark.parametrize(
    ("first", "second", "conflict"),
    [(ANY, ANY, True), (ANY, LOCAL, True), (LOCAL, ANY, True), (LOCAL, LOCAL, True), (LOCAL, OTHER, False)],
)
def test_every_address_conflicts_with_any_address(first: IPv4Address, second: IPv4Address, conflict: bool) -> None:
    table = PortTable()
    table.add(published(80, first), (80, 80))
    assert table.is_free("tcp", second, 80) is not conflict
    assert table.is_free("udp", second, 80)
    if conflict:
        with pytest.raises(PortAllocated, match=f"^Bind for {second}:80 failed: port is already allocated$"):
            list(table.candidates("tcp", second, 80, 80))


def test_removed_port_is_free_and_others_are_not() -> None:
    table = PortTable()
    table.add(published(80, LOCAL), (80, 80))
    table.add(published(80, OTHER), (80, 80))
    table.remove(published(80, LOCAL))
    table.remove(published(81))
    assert table.is_free("tcp", LOCAL, 80)
    assert not table.is_free("tcp", ANY, 80)


def test_ephemeral_ports_go_round() -> None:
    table = PortTable((100, 103))
    assert list(table.candidates("tcp", ANY, 0, 0)) == [100, 101, 102, 103]
    table.add(published(101))
    assert list(table.candidates("tcp", ANY, 0, 0)) == [102, 103, 100]
    table.add(published(103))
    assert list(table.candidates("tcp", ANY, 0, 0)) == [100, 102]


def test_ranges_have_their_own_round() -> None:
    table = PortTable((100, 103))
    table.add(published(200), (200, 202))
    assert list(table.candidates("tcp", ANY, 200, 202)) == [201, 202]
    assert list(table.candidates("tcp", ANY, 0, 0)) == [100, 101, 102, 103]


def test_used_up_range_has_no_candidates() -> None:
    table = PortTable((100, 100))
    table.add(published(100))
    assert list(table.candidates("tcp", LOCAL, 0, 0)) == []
