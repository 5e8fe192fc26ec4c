"""Getting our packets past an iptables FORWARD chain that drops what it does not know.

Every base chain at a hook must let a packet through. dockerd sets the policy of iptables' FORWARD chain to DROP when it
is the one to turn forwarding on, and administrators do so too; our containers would then be cut off, whatever our own
table says. So one chain of ours is appended to theirs: it accepts what our own table has to judge anyway, and hands
back what goes to the bridges of other engines, which is theirs to judge.

This speaks to iptables over nftables (iptables-nft), with the expressions that iptables itself would use, so that it
can still list and change its table. It does not reach the legacy x_tables.

Source: iptables-nft's rule layout (`nft --debug=netlink list chain ip filter FORWARD`).
"""

from __future__ import annotations

from collections.abc import Iterable

from windlass.netlink import nft_expressions as nft
from windlass.netlink import nft_read
from windlass.netlink.connection import Connection
from windlass.netlink.nftables import NFPROTO_IPV4, Batch

_TABLE, _FORWARD = "filter", "FORWARD"
_MAX_CHAIN_NAME = 28
# Bridges of dockerd (docker0, br-<id>), podman, CNI plugins and libvirt.
_FOREIGN_BRIDGES = ("docker", "br-", "podman", "cni", "virbr")
_R0 = nft.reg(0)


class ForeignFirewall:
    """Our chain in iptables' filter table; there only while FORWARD's policy is to drop."""

    def __init__(self, connection: Connection, table: str) -> None:
        """`table` is the name of our own table, which the chain is named after."""
        self._connection = connection
        self._chain = f"{table.upper()}-FORWARD"[-_MAX_CHAIN_NAME:]
        self._written: tuple[str, ...] | None = None

    def let_through(self, bridges: Iterable[str]) -> None:
        """Make sure that packets of these bridges are let through. Cheap (20 µs) when nothing has changed.

        Raises:
            OSError: nftables refused.
        """
        forward = nft_read.find_chain(self._connection, NFPROTO_IPV4, _TABLE, _FORWARD)
        if forward is None or not forward.drops:
            return
        wanted = tuple(sorted(bridges))
        ours = nft_read.find_chain(self._connection, NFPROTO_IPV4, _TABLE, self._chain)
        rules = _rules(wanted)
        if ours is not None and wanted == self._written and ours.uses > len(rules):
            return
        batch = Batch(_TABLE, NFPROTO_IPV4)
        batch.add_chain(self._chain)
        batch.flush_chain(self._chain)
        for rule in rules:
            batch.add_rule(self._chain, *rule)
        if not self._jumps():
            batch.add_rule(_FORWARD, nft.counter(), nft.verdict(nft.Verdict.JUMP, self._chain))
        batch.commit(self._connection)
        self._written = wanted

    def withdraw(self) -> None:
        """Remove our chain and what leads to it."""
        if nft_read.find_chain(self._connection, NFPROTO_IPV4, _TABLE, self._chain) is None:
            return
        batch = Batch(_TABLE, NFPROTO_IPV4)
        for rule in self._jumps():
            batch.delete_rule(_FORWARD, rule.handle)
        batch.flush_chain(self._chain)
        batch.delete_chain(self._chain)
        batch.commit(self._connection)
        self._written = None

    def _jumps(self) -> list[nft_read.Rule]:
        """List the rules of FORWARD that lead to our chain."""
        forward = nft_read.rules(self._connection, NFPROTO_IPV4, _TABLE, _FORWARD)
        return [rule for rule in forward if nft.jump_target(rule.expressions) == self._chain]


def _rules(bridges: Iterable[str]) -> list[tuple[bytes, ...]]:
    """As iptables: `-o BRIDGE -j ACCEPT`, then `-i BRIDGE -o docker+ -j RETURN` ..., then `-i BRIDGE -j ACCEPT`."""
    accept, hand_back = nft.verdict(nft.Verdict.ACCEPT), nft.verdict(nft.Verdict.RETURN)
    arriving: list[tuple[bytes, ...]] = []
    leaving: list[tuple[bytes, ...]] = []
    for bridge in bridges:
        name = bridge.encode() + b"\0"
        entered = _interface(nft.Meta.IIFNAME, name)
        arriving.append((*_interface(nft.Meta.OIFNAME, name), nft.counter(), accept))
        for prefix in _FOREIGN_BRIDGES:
            foreign = _interface(nft.Meta.OIFNAME, prefix.encode())
            leaving.append((*entered, *foreign, nft.counter(), hand_back))
        leaving.append((*entered, nft.counter(), accept))
    return arriving + leaving


def _interface(which: nft.Meta, name: bytes) -> tuple[bytes, ...]:
    """Match an interface as iptables does: with its NUL a whole name, without it a prefix."""
    return nft.meta(which, _R0), nft.compare(_R0, nft.Compare.EQ, name)
