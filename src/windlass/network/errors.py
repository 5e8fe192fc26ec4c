"""What goes wrong with networks, in dockerd's words where its clients read them.

dockerd answers port conflicts with HTTP 500, and clients match on the text; hence `System`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from windlass.base.errors import Conflict, Forbidden, InvalidParameter, NotFound, NotSupported, System


class PortAllocated(System):
    """Another container of ours has the host port."""

    def __init__(self, host_ip: str, host_port: int) -> None:
        super().__init__(f"Bind for {host_ip}:{host_port} failed: port is already allocated")
        self.host_ip = host_ip
        self.host_port = host_port


class PortBusy(System):
    """The host refused the port: a process of its own has it, or the address is not the host's."""

    def __init__(self, protocol: str, host_ip: str, host_port: int, reason: str) -> None:
        super().__init__(f"listen {protocol}4 {host_ip}:{host_port}: bind: {reason}")
        self.host_ip = host_ip
        self.host_port = host_port


class PortsExhausted(System):
    """No port is left in the range asked for."""

    def __init__(self) -> None:
        super().__init__("all ports are allocated")


class InvalidPortSpec(InvalidParameter):
    """A port or range is not well written."""


class UnsupportedHostAddress(NotSupported):
    """A port was to be published on an address of a family that the network does not have."""

    def __init__(self, host_ip: str) -> None:
        super().__init__(f"cannot publish on {host_ip}: the network has no IPv6 addresses")
        self.host_ip = host_ip


class AddressInUse(Forbidden):
    """The address asked for belongs to somebody."""

    def __init__(self) -> None:
        super().__init__("Address already in use")


class InvalidAddress(InvalidParameter):
    """The address asked for is not one of the network's."""

    def __init__(self, address: str) -> None:
        super().__init__(f"invalid address {address}: It does not belong to any of this network's subnets")


class InvalidMac(InvalidParameter):
    """No MAC address that an interface can have."""

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid MAC address: {text}")


class InvalidBridgeName(InvalidParameter):
    """No name that a Linux interface can have."""

    def __init__(self, name: str) -> None:
        super().__init__(f"invalid bridge name: {name!r}")


class AddressesExhausted(System):
    """Every address of a network is taken."""

    def __init__(self, network: str) -> None:
        super().__init__(f"no available IPv4 addresses on this network's address pools: {network}")


class NoFreeSubnet(System):
    """Every predefined subnet overlaps one that is in use."""

    def __init__(self) -> None:
        super().__init__("all predefined address pools have been fully subnetted")


class NetworkSetupFailed(System):
    """The kernel refused part of the setting up of a bridge or an endpoint."""


class UnknownNetwork(NotFound):
    """No network of that id has been set up."""

    def __init__(self, network_id: str) -> None:
        super().__init__(f"network {network_id} not found")


class NetworkBusy(Conflict):
    """The network still has endpoints."""

    def __init__(self, name: str, network_id: str) -> None:
        super().__init__(f"error while removing network: network {name} id {network_id} has active endpoints")


@contextmanager
def kernel_errors(what: str) -> Iterator[None]:
    """Report a refusal of the kernel as ours: `<what>: <step>: <strerror>`."""
    try:
        yield
    except OSError as error:
        raise NetworkSetupFailed(f"failed to {what}: {error.strerror or error}") from error
