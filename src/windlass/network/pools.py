"""Choosing a subnet that collides with nothing the host can already reach.

Source: dockerd's predefined local address pools, which users know and write firewall rules for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network

from windlass.network.errors import NoFreeSubnet


class SubnetPool:
    """A range of addresses to cut subnets of one size from."""

    def __init__(self, base: IPv4Network, prefix_len: int) -> None:
        self.base = base
        self.prefix_len = prefix_len

    def subnets(self) -> Iterator[IPv4Network]:
        """Yield the subnets in order."""
        return self.base.subnets(new_prefix=self.prefix_len)


DEFAULT_POOLS: Sequence[SubnetPool] = (
    SubnetPool(IPv4Network("172.17.0.0/16"), 16),
    SubnetPool(IPv4Network("172.18.0.0/16"), 16),
    SubnetPool(IPv4Network("172.19.0.0/16"), 16),
    SubnetPool(IPv4Network("172.20.0.0/14"), 16),
    SubnetPool(IPv4Network("172.24.0.0/14"), 16),
    SubnetPool(IPv4Network("172.28.0.0/14"), 16),
    SubnetPool(IPv4Network("192.168.0.0/16"), 20),
)


def pick_subnet(taken: Iterable[IPv4Network], pools: Sequence[SubnetPool] = DEFAULT_POOLS) -> IPv4Network:
    """Return the first subnet of `pools` that overlaps none of `taken`.

    A default route (prefix length 0) in `taken` says nothing about which addresses are in use, and is ignored.

    Raises:
        NoFreeSubnet: all overlap.
    """
    occupied = [network for network in taken if network.prefixlen > 0]
    for pool in pools:
        for candidate in pool.subnets():
            if not any(candidate.overlaps(network) for network in occupied):
                return candidate
    raise NoFreeSubnet()
