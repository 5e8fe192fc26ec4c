"""Addresses of one subnet, handed out so that a freed one is not soon used again.

A neighbour may remember an address (ARP, conntrack, an open connection) for a while after its owner is gone; going
round the whole subnet before using it again keeps the next owner out of that trouble.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

from windlass.network.errors import AddressesExhausted, AddressInUse, InvalidAddress


class AddressPool:
    """The host addresses of `subnet` without `gateway`, allocated next-fit. `label` names the network in errors."""

    def __init__(self, subnet: IPv4Network, gateway: IPv4Address, label: str) -> None:
        first, last = int(subnet.network_address), int(subnet.broadcast_address)
        if subnet.prefixlen < 31:  # RFC 3021: a /31 has neither a network nor a broadcast address
            first, last = first + 1, last - 1
        self._first, self._last = first, last
        self._gateway = int(gateway)
        self._label = label
        self._taken: set[int] = {self._gateway}
        self._cursor = first

    def allocate(self, requested: IPv4Address | None = None) -> IPv4Address:
        """Take `requested`, or the next free address.

        Raises:
            InvalidAddress: `requested` is outside the subnet.
            AddressInUse: `requested` is taken or the gateway's.
            AddressesExhausted: none is free.
        """
        if requested is not None:
            return self._take(requested)
        size = self._last - self._first + 1
        if len(self._taken) - (not self._first <= self._gateway <= self._last) < size:
            for step in range(size):
                candidate = self._first + (self._cursor - self._first + step) % size
                if candidate not in self._taken:
                    self._taken.add(candidate)
                    self._cursor = candidate + 1
                    return IPv4Address(candidate)
        raise AddressesExhausted(self._label)

    def _take(self, requested: IPv4Address) -> IPv4Address:
        number = int(requested)
        if not self._first <= number <= self._last:
            raise InvalidAddress(str(requested))
        if number in self._taken:
            raise AddressInUse()
        self._taken.add(number)
        return requested

    def release(self, address: IPv4Address) -> None:
        """Free an address; one that is free already stays so, and the gateway is never freed."""
        if int(address) != self._gateway:
            self._taken.discard(int(address))

    def restore(self, addresses: Iterable[IPv4Address]) -> None:
        """Mark addresses as taken that were handed out before a restart, and go on after the highest."""
        numbers = [int(a) for a in addresses if self._first <= int(a) <= self._last]
        self._taken.update(numbers)
        if numbers:
            self._cursor = max(numbers) + 1

    @property
    def used(self) -> int:
        """How many addresses are taken, the gateway's not counted."""
        return len(self._taken) - 1
