"""Port specifications of the Engine API: `ExposedPorts` keys and `PortBindings`.

Source: Engine API, definitions PortMap and PortBinding; the texts are those of dockerd.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, ip_address
from typing import Protocol as TypingProtocol

from windlass.network.errors import InvalidPortSpec, UnsupportedHostAddress
from windlass.network.model import PortBinding, Protocol, PublishedPort

PROTOCOLS: tuple[Protocol, ...] = ("tcp", "udp", "sctp")


class ApiBinding(TypingProtocol):
    """One entry of a `PortBindings` list."""

    @property
    def host_ip(self) -> str:
        """Host address, may be empty."""

    @property
    def host_port(self) -> str:
        """Host port or range, may be empty."""


def parse_port(text: str) -> int:
    """Parse a port number, 0 to 65535.

    Raises:
        InvalidPortSpec: it is none.
    """
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise InvalidPortSpec(f"invalid port '{text}': invalid syntax")
    return int(text)


def parse_range(text: str) -> tuple[int, int]:
    """Parse `80` or `8000-8010` to its first and last port; empty is (0, 0).

    Raises:
        InvalidPortSpec: malformed, or the end lies before the start.
    """
    if not text:
        return 0, 0
    start_text, dash, end_text = text.partition("-")
    start = parse_port(start_text)
    end = parse_port(end_text) if dash else start
    if end < start:
        raise InvalidPortSpec(f"invalid port range: {text}")
    return start, end


def parse_exposed(spec: str) -> tuple[range, Protocol]:
    """Parse an `ExposedPorts` key, `80/tcp`, `53/udp`, `8000-8010/tcp` or `80`, to its ports and protocol.

    Raises:
        InvalidPortSpec: malformed, port 0, or a protocol that nobody speaks.
    """
    port_text, slash, protocol = spec.partition("/")
    protocol = protocol.lower() if slash else "tcp"
    if protocol not in PROTOCOLS:
        raise InvalidPortSpec(f"invalid proto: {protocol}")
    try:
        start, end = parse_range(port_text)
    except InvalidPortSpec:
        raise InvalidPortSpec(f'invalid port specification: "{spec}"') from None
    if start == 0:
        raise InvalidPortSpec(f'invalid port specification: "{spec}"')
    return range(start, end + 1), protocol


def bindings(
    exposed: Iterable[str],
    port_bindings: Mapping[str, Sequence[ApiBinding] | None],
    *,
    publish_all: bool = False,
    default_host_ip: str = "",
) -> tuple[PortBinding, ...]:
    """Turn a container's wishes into bindings, in the order of port numbers.

    `publish_all` gives every exposed port that has no binding an ephemeral host port. `default_host_ip` (the daemon's
    `--ip`) stands in for empty host addresses.

    Raises:
        InvalidPortSpec: malformed ports or addresses.
        UnsupportedHostAddress: an IPv6 host address.
    """
    wanted: list[PortBinding] = []
    bound: set[tuple[int, Protocol]] = set()
    for spec, entries in port_bindings.items():
        ports, protocol = parse_exposed(spec)
        for position, port in enumerate(ports):
            bound.add((port, protocol))
            wanted += (
                _binding(port, protocol, position, len(ports), entry, default_host_ip) for entry in entries or ()
            )
            if not entries:
                wanted.append(PortBinding(port, protocol, default_host_ip))
    if publish_all:
        unbound = (pair for pair in _expand(exposed) if pair not in bound)
        wanted += (PortBinding(port, protocol, default_host_ip) for port, protocol in dict.fromkeys(unbound))
    return tuple(sorted(wanted, key=lambda b: (b.container_port, b.protocol)))


def _binding(
    port: int, protocol: Protocol, position: int, count: int, entry: ApiBinding, default_host_ip: str
) -> PortBinding:
    start, end = parse_range(entry.host_port)
    if count > 1 and start:
        # A range of container ports goes to a range of host ports of the same length, one to one.
        if end - start + 1 != count:
            raise InvalidPortSpec("invalid ranges specified for container and host Ports: lengths differ")
        start = end = start + position
    return PortBinding(port, protocol, _host_ip(entry.host_ip or default_host_ip), start, end)


def _host_ip(text: str) -> str:
    if not text:
        return ""
    try:
        address = ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise InvalidPortSpec(f"invalid IP address: {text}") from None
    if not isinstance(address, IPv4Address):
        raise UnsupportedHostAddress(text)
    return str(address)


def _expand(exposed: Iterable[str]) -> Iterator[tuple[int, Protocol]]:
    for spec in exposed:
        ports, protocol = parse_exposed(spec)
        for port in ports:
            yield port, protocol


def port_map(published: Iterable[PublishedPort], exposed: Iterable[str] = ()) -> dict[str, list[dict[str, str]] | None]:
    """Return `NetworkSettings.Ports`: published ports with their bindings, others that are exposed with null."""
    result: dict[str, list[dict[str, str]] | None] = {}
    for port, protocol in _expand(exposed):
        result.setdefault(f"{port}/{protocol}", None)
    for p in published:
        key = f"{p.container_port}/{p.protocol}"
        entries = result.get(key) or []
        entries.append({"HostIp": str(p.host_ip), "HostPort": str(p.host_port)})
        result[key] = entries
    return result
