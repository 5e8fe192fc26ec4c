"""The bridge driver: networks and endpoints, in memory and in the kernel."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from windlass.base.errors import InvalidParameter
from windlass.base.ids import new_id
from windlass.netlink import rtnl, rtnl_read
from windlass.netlink.connection import NETLINK_NETFILTER, NETLINK_ROUTE, Connection
from windlass.network import bridges, sysctl, veth
from windlass.network.detaching import remove_interfaces
from windlass.network.errors import NetworkBusy, UnknownNetwork, kernel_errors
from windlass.network.firewall import Firewall
from windlass.network.foreign_firewall import ForeignFirewall
from windlass.network.ipam import AddressPool
from windlass.network.mac import format_mac, mac_for, parse_mac
from windlass.network.model import Endpoint, EndpointRequest, NetworkConfig
from windlass.network.pools import DEFAULT_POOLS, SubnetPool, pick_subnet
from windlass.network.port_table import FALLBACK_RANGE, PortTable
from windlass.network.publishing import Published, Publisher

DEFAULT_TABLE = "windlass"


@dataclass(slots=True)
class _Network:
    """A network that has been set up."""

    config: NetworkConfig
    bridge: int
    addresses: AddressPool
    endpoints: dict[str, Endpoint] = field(default_factory=dict)


class BridgeDriver:
    """Bridge networks of one daemon, in the network namespace of the thread that makes it. For one thread only.

    `table` names the nftables table, which is this daemon's alone; two daemons on a host need two tables and bridges.
    """

    def __init__(self, table: str = DEFAULT_TABLE, *, enable_forwarding: bool = True) -> None:
        """Open the sockets. `enable_forwarding` False leaves net.ipv4.ip_forward as it is.

        Raises:
            OSError: no netlink (a kernel without nf_tables fails on the first change).
        """
        self._route = Connection.open(NETLINK_ROUTE)
        self._netfilter = Connection.open(NETLINK_NETFILTER)
        self._firewall = Firewall(self._netfilter, table)
        self._foreign = ForeignFirewall(self._netfilter, table)
        ports = PortTable(sysctl.ephemeral_ports() or FALLBACK_RANGE)
        self._publisher = Publisher(self._firewall, ports, self._netfilter)
        self._enable_forwarding = enable_forwarding
        self._networks: dict[str, _Network] = {}
        self._uplinks: tuple[str, ...] | None = None

    def pick_subnet(self, except_bridge: str = "", pools: Sequence[SubnetPool] = DEFAULT_POOLS) -> IPv4Network:
        """Choose a subnet for a new network, overlapping nothing that the host reaches or that we have.

        Raises:
            NoFreeSubnet: there is none.
        """
        ours = [network.config.subnet4 for network in self._networks.values()]
        return pick_subnet([*ours, *bridges.occupied_subnets(self._route, except_bridge)], pools)

    def ensure(self, config: NetworkConfig) -> None:
        """Make a network exist as wanted; once more is no harm, and repairs what was changed by others.

        Raises:
            InvalidParameter: its bridge's name or its gateway cannot be.
            NetworkSetupFailed: the kernel refused.
        """
        with kernel_errors(f"set up network {config.name}"):
            network = self._prepare(config)
            if self._uplinks is None:
                self._uplinks = self._start_forwarding()
                self._firewall.rebuild((), {}, self._uplinks)
            self._firewall.add_network(config)
            self._networks[config.id] = network
            self._pass_foreign_firewall()

    def _prepare(self, config: NetworkConfig) -> _Network:
        if config.gateway4 not in config.subnet4:
            raise InvalidParameter(f"no matching subnet for gateway {config.gateway4}")
        bridge = bridges.ensure_bridge(self._route, config)
        known = self._networks.get(config.id)
        if known is not None and known.config.subnet4 == config.subnet4 and known.config.gateway4 == config.gateway4:
            return _Network(config, bridge, known.addresses, known.endpoints)
        return _Network(config, bridge, AddressPool(config.subnet4, config.gateway4, f"{config.name} ({config.id})"))

    def _pass_foreign_firewall(self) -> None:
        self._foreign.let_through(network.config.bridge_name for network in self._networks.values())

    def _start_forwarding(self) -> tuple[str, ...]:
        """Let the host route, and name the interfaces that must not start to route among each other because of us.

        The names live in our table, and so go where the setting goes: with the next boot.
        """
        earlier = self._firewall.guarded_uplinks() or ()
        present = [link.name for link in rtnl_read.links(self._route) if link.kind != "bridge" and link.name != "lo"]
        turned_on = self._enable_forwarding and sysctl.ensure("ipv4/ip_forward", "1")
        return tuple(sorted(present)) if turned_on else earlier

    def remove(self, config: NetworkConfig) -> None:
        """Remove a network, its bridge and its rules; one that is not there is no error.

        Raises:
            NetworkBusy: it has endpoints.
        """
        network = self._networks.get(config.id)
        if network is not None and network.endpoints:
            raise NetworkBusy(config.name, config.id)
        with kernel_errors(f"remove network {config.name}"):
            self._firewall.remove_network(config)
            bridges.delete_bridge(self._route, config.bridge_name)
            self._networks.pop(config.id, None)
            self._pass_foreign_firewall()

    def attach(self, config: NetworkConfig, request: EndpointRequest) -> Endpoint:
        """Join a container's network namespace to a network and publish its ports. If it fails, nothing remains.

        Raises:
            UnknownNetwork: `ensure` has not been called.
            AddressInUse, InvalidAddress, AddressesExhausted, InvalidMac: no such endpoint can be.
            PortAllocated, PortBusy, PortsExhausted: a host port is not to be had.
            NetworkSetupFailed: the kernel refused.
        """
        network = self._networks.get(config.id)
        if network is None:
            raise UnknownNetwork(config.id)
        mac = parse_mac(request.mac) if request.mac else None
        address = network.addresses.allocate(request.requested_ip)
        try:
            endpoint = self._attach(network, request, address, mac or mac_for(address))
        except BaseException:
            network.addresses.release(address)
            raise
        network.endpoints[endpoint.id] = endpoint
        return endpoint

    def _attach(self, network: _Network, request: EndpointRequest, address: IPv4Address, mac: bytes) -> Endpoint:
        config = network.config
        endpoint_id = new_id()
        pair = veth.Pair(
            host_ifname=veth.host_ifname(endpoint_id),
            ifname=request.ifname,
            mac=mac,
            mtu=config.mtu,
            bridge=network.bridge,
            bridge_name=config.bridge_name,
            netns_fd=request.netns_fd,
            address=address,
            prefix_len=config.subnet4.prefixlen,
            gateway=config.gateway4 if request.default_route and not config.internal else None,
            hairpin=bool(request.ports),
            isolated=not config.icc,
        )
        # An internal network publishes nothing: there is no way in.
        wanted = () if config.internal else request.ports
        with kernel_errors("publish ports"):
            self._pass_foreign_firewall()  # dockerd may have been started since
            published = self._publisher.publish(wanted, address)
        try:
            with kernel_errors("set up container networking"):
                self._connect(pair, request.netns_route_socket)
        except BaseException:
            self._publisher.withdraw(published)
            raise
        return Endpoint(
            id=endpoint_id,
            network_id=config.id,
            container_id=request.container_id,
            ip4=address,
            prefix_len=pair.prefix_len,
            gateway=pair.gateway,
            mac=format_mac(mac),
            host_ifname=pair.host_ifname,
            ifname=request.ifname,
            ports=published.ports,
            port_holds=published.holds,
        )

    def _connect(self, pair: veth.Pair, route_socket: socket.socket) -> None:
        try:
            veth.connect(self._route, Connection(route_socket), pair)
        except BaseException:
            veth.disconnect(self._route, [pair.host_ifname])
            raise

    def unpublish(self, endpoint: Endpoint) -> None:
        """Free an endpoint's host ports at once, ahead of `detach`; once more is no harm."""
        with kernel_errors("unpublish ports"):
            self._publisher.withdraw(Published(endpoint.ip4, endpoint.ports, endpoint.port_holds))

    def detach(self, endpoint: Endpoint) -> None:
        """Remove an endpoint; one that is gone is no error. Takes 10 ms and more: keep it off the critical path."""
        self.detach_many([endpoint])

    def detach_many(self, endpoints: Sequence[Endpoint]) -> None:
        """Remove endpoints for little more than the price of one. Their addresses are free when it returns.

        The slow part of it, `remove_interfaces`, may as well run in another thread, between `unpublish` and `forget`.
        """
        with kernel_errors("detach from network"):
            for endpoint in endpoints:
                self._publisher.withdraw(Published(endpoint.ip4, endpoint.ports, endpoint.port_holds))
        remove_interfaces(endpoints)
        self.forget(endpoints)

    def forget(self, endpoints: Iterable[Endpoint]) -> None:
        """Free the addresses of endpoints whose interfaces have been removed; once more is no harm."""
        for endpoint in endpoints:
            network = self._networks.get(endpoint.network_id)
            if network is not None and network.endpoints.pop(endpoint.id, None) is not None:
                network.addresses.release(endpoint.ip4)

    def restore(self, configs: Iterable[NetworkConfig], endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
        """Make the kernel hold these networks and endpoints and nothing else of ours, at the start of a daemon.

        Returns the endpoints whose interfaces are gone. Traffic of the others is not interrupted: the table is
        exchanged in one transaction. Ports are taken as held by whoever keeps the endpoints' sockets.

        Raises:
            NetworkSetupFailed: the kernel refused.
        """
        with kernel_errors("restore networks"):
            self._networks = {config.id: self._prepare(config) for config in configs}
            living, lost = self._adopt(endpoints)
            self._uplinks = self._start_forwarding()
            wanted = [network.config for network in self._networks.values()]
            self._firewall.rebuild(wanted, self._publisher.adopt(living), self._uplinks)
            owned = {endpoint.host_ifname for endpoint in living}
            self._pass_foreign_firewall()
            leftovers = veth.pairs_on(self._route, (network.bridge for network in self._networks.values())) - owned
            veth.disconnect(self._route, sorted(leftovers))
        return tuple(lost)

    def _adopt(self, endpoints: Iterable[Endpoint]) -> tuple[list[Endpoint], list[Endpoint]]:
        """Take endpoints back; tell the living from the lost. Pairs whose bridge was made anew are put on it again."""
        masters = {link.name: link.master for link in rtnl_read.links(self._route)}
        living: list[Endpoint] = []
        lost: list[Endpoint] = []
        moves = []
        for endpoint in endpoints:
            network = self._networks.get(endpoint.network_id)
            if network is None or endpoint.host_ifname not in masters:
                lost.append(endpoint)
                continue
            if masters[endpoint.host_ifname] != network.bridge:
                moves.append(rtnl.set_link(endpoint.host_ifname, master=network.bridge))
            network.endpoints[endpoint.id] = endpoint
            network.addresses.restore([endpoint.ip4])
            living.append(endpoint)
        if moves:
            self._route.execute(moves)
        return living, lost

    def close(self) -> None:
        """Close the sockets. Networks and endpoints stay."""
        self._route.close()
        self._netfilter.close()

    def destroy(self) -> None:
        """Remove every network of ours and the table, and close: an uninstallation, or the end of a test."""
        for network in list(self._networks.values()):
            self.detach_many(list(network.endpoints.values()))
            self.remove(network.config)
        self._foreign.withdraw()
        self._firewall.remove()
        self.close()
