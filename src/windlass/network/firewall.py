"""Our nftables table in the kernel, kept equal to what is wanted, also when somebody flushes it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address

from windlass.netlink import nft_read
from windlass.netlink.connection import Connection
from windlass.netlink.nftables import Batch, Element
from windlass.network import ruleset
from windlass.network.model import NetworkConfig, PublishedPort
from windlass.network.ruleset import Change

# ENOENT: the table, a set or an element is missing. EEXIST: an element is there that should not be.
_OUT_OF_STEP = (errno.ENOENT, errno.EEXIST, errno.EBUSY)


class Firewall:
    """Networks and published ports as elements of one table. Every change is one transaction.

    If the kernel's table turns out to have been changed behind our back (`nft flush ruleset`), it is built anew.
    """

    def __init__(self, connection: Connection, table: str) -> None:
        """Touch nothing yet; the table is made by `rebuild`, or by the first change."""
        self._connection = connection
        self._table = table
        self._networks: dict[str, NetworkConfig] = {}
        self._published: dict[PublishedPort, IPv4Address] = {}
        self._uplinks: tuple[str, ...] = ()
        self._built = False

    def rebuild(
        self, networks: Iterable[NetworkConfig], published: Mapping[PublishedPort, IPv4Address], uplinks: Iterable[str]
    ) -> None:
        """Make the table hold exactly this; in one transaction, so that no packet meets a half-built table."""
        self._networks = {config.id: config for config in networks}
        self._published = dict(published)
        self._uplinks = tuple(uplinks)
        self._build()

    def _build(self) -> None:
        batch = Batch(self._table)
        ruleset.build_table(batch)
        changes = [change for config in self._networks.values() for change in ruleset.network_elements(config)]
        changes += [ruleset.port_element(port, address) for port, address in self._published.items()]
        changes.append(ruleset.uplink_elements(self._uplinks))
        for set_name, elements in _grouped(changes).items():
            batch.add_elements(set_name, elements)
        batch.commit(self._connection)
        self._built = True

    def add_network(self, config: NetworkConfig) -> None:
        """Let a network take part; one with the same id is replaced."""
        if self._networks.get(config.id) == config and self._built:
            return
        replaced = config.id in self._networks
        self._networks[config.id] = config
        if replaced:
            self._build()
        else:
            self._apply(Batch.add_elements, ruleset.network_elements(config))

    def remove_network(self, config: NetworkConfig) -> None:
        """Forget a network; its bridge is a stranger's from now on."""
        known = self._networks.pop(config.id, None)
        if known is not None:
            self._apply(Batch.delete_elements, ruleset.network_elements(known))

    def publish(self, ports: Iterable[PublishedPort], container_ip: IPv4Address) -> None:
        """Redirect `ports` to a container."""
        fresh = [port for port in ports if self._published.get(port) != container_ip]
        self._published.update(dict.fromkeys(fresh, container_ip))
        try:
            self._apply(Batch.add_elements, [ruleset.port_element(port, container_ip) for port in fresh])
        except OSError:
            for port in fresh:
                del self._published[port]
            raise

    def unpublish(self, ports: Iterable[PublishedPort]) -> None:
        """Stop redirecting `ports`; those that were not published are no error."""
        gone = [(port, self._published.pop(port)) for port in ports if port in self._published]
        self._apply(Batch.delete_elements, [ruleset.port_element(port, address) for port, address in gone])

    def guarded_uplinks(self) -> tuple[str, ...] | None:
        """Return the uplinks that the kernel's table holds from an earlier run, or None when there is no table."""
        try:
            elements = nft_read.elements(self._connection, self._table, ruleset.UPLINKS)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
            return None
        return tuple(sorted(element.key.rstrip(b"\0").decode() for element in elements))

    def remove(self) -> None:
        """Delete the table."""
        batch = Batch(self._table)
        batch.add_table()
        batch.delete_table()
        batch.commit(self._connection)
        self._built = False

    def _apply(self, step: Callable[[Batch, str, list[Element]], None], changes: list[Change]) -> None:
        if not self._built:
            self._build()
            return
        batch = Batch(self._table)
        for set_name, elements in _grouped(changes).items():
            step(batch, set_name, elements)
        try:
            batch.commit(self._connection)
        except OSError as error:
            if error.errno not in _OUT_OF_STEP:
                raise
            self._build()


def _grouped(changes: Iterable[Change]) -> dict[str, list[Element]]:
    grouped: dict[str, list[Element]] = {}
    for change in changes:
        if change.elements:
            grouped.setdefault(change.set_name, []).extend(change.elements)
    return grouped
