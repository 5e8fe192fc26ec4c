"""Publishing ports: picking them, holding them, redirecting them; and taking all of it back."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from windlass.netlink import conntrack
from windlass.netlink.connection import Connection
from windlass.network.errors import PortBusy, PortsExhausted
from windlass.network.firewall import Firewall
from windlass.network.model import Endpoint, PortBinding, PublishedPort
from windlass.network.port_holds import hold_port
from windlass.network.port_table import ANY, PortTable


@dataclass(frozen=True, slots=True)
class Published:
    """What the container at `address` has on the host; `holds` are bound sockets."""

    address: IPv4Address
    ports: tuple[PublishedPort, ...]
    holds: tuple[socket.socket, ...]


class Publisher:
    """Published ports of all networks; host ports are one space for all of them."""

    def __init__(self, firewall: Firewall, table: PortTable, netfilter: Connection) -> None:
        self._netfilter = netfilter
        self._firewall = firewall
        self._table = table
        # Whose a port is: one that was given up early may be another container's when its first owner is detached.
        self._owners: dict[PublishedPort, IPv4Address] = {}

    def publish(self, wanted: Sequence[PortBinding], address: IPv4Address) -> Published:
        """Publish ports of the container at `address`: all of them, or none.

        Raises:
            PortAllocated, PortBusy, PortsExhausted: a port is not to be had.
            OSError: nftables refused.
        """
        ports: list[PublishedPort] = []
        holds: list[socket.socket] = []
        try:
            for binding in wanted:
                port, hold = self._take(binding)
                ports.append(port)
                holds += [hold] if hold else []
            if ports:
                self._firewall.publish(ports, address)
                self._catch_running_flows(ports)
        except BaseException:
            self._give_back(ports, holds)
            raise
        self._owners.update(dict.fromkeys(ports, address))
        return Published(address, tuple(ports), tuple(holds))

    def _take(self, binding: PortBinding) -> tuple[PublishedPort, socket.socket | None]:
        """Take the first port of a binding's range that neither a container nor a process of the host has."""
        host_ip = IPv4Address(binding.host_ip) if binding.host_ip else ANY
        wanted = (binding.host_port_start, binding.host_port_end or binding.host_port_start)
        refusal: PortBusy | PortsExhausted = PortsExhausted()
        for candidate in self._table.candidates(binding.protocol, host_ip, *wanted):
            try:
                hold = hold_port(binding.protocol, host_ip, candidate)
            except PortBusy as busy:
                refusal = busy
                continue
            port = PublishedPort(binding.container_port, binding.protocol, host_ip, candidate)
            self._table.add(port, wanted)
            return port, hold
        raise refusal

    def _catch_running_flows(self, ports: Iterable[PublishedPort]) -> None:
        """Make clients that have been sending to a UDP port all along meet the new redirection."""
        udp = {port.host_port for port in ports if port.protocol == "udp"}
        if udp:
            conntrack.forget_ports(self._netfilter, socket.IPPROTO_UDP, udp)

    def withdraw(self, published: Published) -> None:
        """Stop redirecting and let the ports go; once more is no harm.

        Raises:
            OSError: nftables refused; the ports are free all the same.
        """
        owned = [port for port in published.ports if self._owners.get(port) == published.address]
        try:
            self._firewall.unpublish(owned)
        finally:
            self._give_back(owned, published.holds)
            for port in owned:
                del self._owners[port]

    def _give_back(self, ports: Iterable[PublishedPort], holds: Iterable[socket.socket]) -> None:
        for port in ports:
            self._table.remove(port)
        for hold in holds:
            hold.close()

    def adopt(self, endpoints: Iterable[Endpoint]) -> dict[PublishedPort, IPv4Address]:
        """Enter the ports of containers that an earlier daemon left running; the caller rebuilds the firewall."""
        self._owners = {port: endpoint.ip4 for endpoint in endpoints for port in endpoint.ports}
        for port in self._owners:
            self._table.add(port, (port.host_port, port.host_port))
        return dict(self._owners)
