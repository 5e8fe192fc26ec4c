"""The networks of this engine."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from windlass.base.clock import now_ns
from windlass.base.errors import Forbidden, NotSupported
from windlass.base.ids import new_id
from windlass.base.logging import event
from windlass.engine.containers.model import EndpointState
from windlass.engine.errors import AmbiguousPrefix, NoSuchNetwork
from windlass.engine.events import Events
from windlass.engine.networks.record import BRIDGE, HOST, NONE, NetworkRecord, driver_endpoint, endpoint_state
from windlass.engine.networks.request import (
    NetworkRequest,
    check_request,
    default_bridge,
    parse_address,
    planned_network,
)
from windlass.engine.networks.thread import NetworkThread
from windlass.engine.settings import EngineSettings
from windlass.network.driver import BridgeDriver
from windlass.network.model import Endpoint, EndpointRequest, NetworkConfig, PortBinding
from windlass.runtime.task import NetNs
from windlass.store.networks import NetworkNameInUse, NetworkRow, NetworkRows

_log = logging.getLogger(__name__)
_decoder = msgspec.json.Decoder(NetworkRecord)
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class EndpointWish:
    """What a container asks of one network."""

    container_id: str
    requested_ip: str = ""
    mac: str = ""
    ifname: str = "eth0"
    ports: tuple[PortBinding, ...] = ()
    default_route: bool = True


@dataclass(frozen=True, slots=True)
class Attached:
    """An endpoint with the sockets that hold its ports, which are to be closed once somebody else has copies."""

    state: EndpointState
    holds: tuple[socket.socket, ...]

    def close_holds(self) -> None:
        """Let go of our copies of the sockets."""
        for hold in self.holds:
            hold.close()


class Networks:
    """Networks by id and name; what is done to them is done by one thread."""

    def __init__(self, rows: NetworkRows, settings: EngineSettings, events: Events) -> None:
        self._rows = rows
        self._settings = settings
        self._events = events
        self._thread = NetworkThread()
        self._by_id: dict[str, NetworkRecord] = {}
        self._open = False

    def __iter__(self) -> Iterator[NetworkRecord]:
        return iter(tuple(self._by_id.values()))

    @property
    def has_bridge(self) -> bool:
        """Whether containers can be bridged at all (`--bridge none` says no)."""
        return self._settings.bridge_name != NONE

    # --- start and end --------------------------------------------------------------------------------

    async def open(self, endpoints: Iterable[tuple[str, EndpointState]]) -> set[str]:
        """Load the networks and make the kernel hold them and `endpoints` (container id, state), nothing else of ours.

        Returns the ids of the endpoints whose interfaces are gone.

        Raises:
            WindlassError, OSError: the host refused.
        """
        for row in await self._rows.all():
            record = _decoder.decode(row.document)
            self._by_id[record.id] = record
        for name, driver in ((HOST, "host"), (NONE, "null")):
            if self._named(name) is None:
                await self._put(NetworkRecord(new_id(), name, driver, now_ns()))
        if not self.has_bridge:
            return set()
        await self._thread.open(self._make_driver)
        self._open = True
        await self._put(await self._default_bridge())
        configs = [record.to_config() for record in self if record.driver == BRIDGE]
        known = [driver_endpoint(state, container_id) for container_id, state in endpoints]
        lost = await self._thread.call(lambda driver: driver.restore(configs, known))
        return {endpoint.id for endpoint in lost}

    def _make_driver(self) -> BridgeDriver:
        return BridgeDriver(self._settings.firewall_table, enable_forwarding=self._settings.ip_forward)

    async def _default_bridge(self) -> NetworkRecord:
        """The network `bridge` as the settings want it now, on the subnet that it had if they do not say."""
        old = self._named(BRIDGE)
        free = None
        if not self._settings.bridge_address and not (old and old.subnet):
            name = self._settings.bridge_name
            free = await self._thread.call(lambda driver: driver.pick_subnet(except_bridge=name))
        return default_bridge(self._settings, old, free)

    async def close(self) -> None:
        """Finish what was begun. Networks and running containers' endpoints stay."""
        if self._open:
            await self._thread.close()

    # --- finding --------------------------------------------------------------------------------------

    def get(self, reference: str) -> NetworkRecord:
        """Return the network with this id, name or unique beginning of an id.

        Raises:
            NoSuchNetwork: there is none.
            AmbiguousPrefix: there are several.
        """
        found = self._by_id.get(reference) or self._named(reference)
        if found is not None:
            return found
        matches = [record for key, record in self._by_id.items() if reference and key.startswith(reference)]
        if len(matches) > 1:
            raise AmbiguousPrefix(reference)
        if not matches:
            raise NoSuchNetwork(reference)
        return matches[0]

    def _named(self, name: str) -> NetworkRecord | None:
        return next((record for record in self._by_id.values() if record.name == name), None)

    # --- changing -------------------------------------------------------------------------------------

    async def _put(self, record: NetworkRecord) -> None:
        await self._rows.put(NetworkRow(record.id, record.name, _encode(record)))
        self._by_id[record.id] = record

    async def create(self, request: NetworkRequest) -> NetworkRecord:
        """Make a bridge network.

        Raises:
            NetworkNameInUse, Forbidden, InvalidParameter, NotSupported, NoFreeSubnet, NetworkSetupFailed.
        """
        check_request(request)
        if self._named(request.name) is not None:
            raise NetworkNameInUse(request.name)
        if not self.has_bridge:
            raise NotSupported("bridge networks are disabled (--bridge none)")
        free = None if request.subnet else await self._thread.call(lambda driver: driver.pick_subnet())
        record = planned_network(request, free, self._settings.mtu)
        config = record.to_config()
        await self._thread.call(lambda driver: driver.ensure(config))
        try:
            await self._put(record)
        except BaseException:
            await self._thread.call(lambda driver: driver.remove(config))
            raise
        self._emit("create", record)
        event(_log, logging.INFO, "network created", network=record.id, name=record.name, subnet=record.subnet)
        return record

    async def remove(self, reference: str) -> None:
        """Remove a user's network.

        Raises:
            NoSuchNetwork, Forbidden: it is predefined; NetworkBusy: it has endpoints.
        """
        record = self.get(reference)
        if record.is_predefined:
            raise Forbidden(f"{record.name} is a pre-defined network and cannot be removed")
        config: NetworkConfig = record.to_config()
        self._thread.flush()
        await self._thread.call(lambda driver: driver.remove(config))
        await self._rows.delete(record.id)
        del self._by_id[record.id]
        self._emit("destroy", record)
        event(_log, logging.INFO, "network removed", network=record.id, name=record.name)

    def _emit(self, action: str, record: NetworkRecord, container_id: str = "") -> None:
        attributes = {"name": record.name, "type": record.driver}
        if container_id:
            attributes["container"] = container_id
        self._events.emit("network", action, record.id, attributes)

    # --- containers -----------------------------------------------------------------------------------

    async def attach(self, network_id: str, wish: EndpointWish, netns: NetNs) -> Attached:
        """Join a container's network namespace to a network; nothing remains if that fails.

        Raises:
            NoSuchNetwork, PortAllocated, PortBusy, PortsExhausted, AddressInUse, InvalidAddress, NetworkSetupFailed.
        """
        record = self.get(network_id)
        config = record.to_config()
        if wish.requested_ip:
            # The address may belong to an endpoint that is on its way out.
            self._thread.flush()
        request = EndpointRequest(
            container_id=wish.container_id,
            netns_fd=netns.netns_fd,
            netns_route_socket=netns.route_socket,
            requested_ip=parse_address(wish.requested_ip) if wish.requested_ip else None,
            mac=wish.mac or None,
            ifname=wish.ifname,
            ports=wish.ports,
            default_route=wish.default_route,
        )
        endpoint: Endpoint = await self._thread.call(lambda driver: driver.attach(config, request))
        self._emit("connect", record, wish.container_id)
        return Attached(endpoint_state(endpoint, record), endpoint.port_holds)

    def detach(self, container_id: str, states: Iterable[EndpointState]) -> None:
        """Take a container off its networks: its ports are free at once, the rest follows in the background."""
        for state in states:
            self._thread.detach_soon(driver_endpoint(state, container_id))
            record = self._by_id.get(state.network_id)
            if record is not None:
                self._emit("disconnect", record, container_id)
