"""Which host ports our containers have, and finding a free one."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from itertools import chain

from windlass.network.errors import PortAllocated
from windlass.network.model import Protocol, PublishedPort

ANY = IPv4Address(0)
FALLBACK_RANGE = (49153, 65535)  # IANA's dynamic ports, for a host that does not tell its own


class PortTable:
    """Published host ports in memory. An entry for every address (0.0.0.0) conflicts with one for any address."""

    def __init__(self, ephemeral: tuple[int, int] = FALLBACK_RANGE) -> None:
        self._ephemeral = ephemeral
        self._owners: dict[tuple[Protocol, int], set[IPv4Address]] = {}
        self._last: dict[tuple[int, int], int] = {}

    def is_free(self, protocol: Protocol, host_ip: IPv4Address, port: int) -> bool:
        """Tell whether none of our containers has the port on an address that overlaps `host_ip`."""
        owners = self._owners.get((protocol, port))
        return not owners or (host_ip != ANY and ANY not in owners and host_ip not in owners)

    def candidates(self, protocol: Protocol, host_ip: IPv4Address, start: int, end: int) -> Iterator[int]:
        """Yield the free ports of `start..end` (0: the ephemeral range), the one after the last used first.

        Raises:
            PortAllocated: one port was asked for and it is taken.
        """
        if start and start == end and not self.is_free(protocol, host_ip, start):
            raise PortAllocated(str(host_ip), start)
        first, last = (start, end) if start else self._ephemeral
        after = self._last.get((first, last), last) + 1
        for port in chain(range(max(first, after), last + 1), range(first, min(after, last + 1))):
            if self.is_free(protocol, host_ip, port):
                yield port

    def add(self, port: PublishedPort, wanted: tuple[int, int] = (0, 0)) -> None:
        """Enter a port; `wanted` is the range it was picked from, so that the next search goes on behind it."""
        self._owners.setdefault((port.protocol, port.host_port), set()).add(port.host_ip)
        if wanted[0] != wanted[1] or wanted == (0, 0):
            self._last[wanted if wanted[0] else self._ephemeral] = port.host_port

    def remove(self, port: PublishedPort) -> None:
        """Strike a port out; one that is not there is no error."""
        key = (port.protocol, port.host_port)
        owners = self._owners.get(key, set())
        owners.discard(port.host_ip)
        if not owners:
            self._owners.pop(key, None)
