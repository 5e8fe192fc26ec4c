"""Ports of a container on one line: `0.0.0.0:8080->80/tcp, 443/tcp`."""

from __future__ import annotations

Port = dict[str, object]


def _number(port: Port, name: str) -> int:
    value = port.get(name)
    return value if isinstance(value, int) else 0


def _order(port: Port) -> tuple[int, str, int, str]:
    return (
        _number(port, "PrivatePort"),
        str(port.get("IP") or ""),
        _number(port, "PublicPort"),
        str(port.get("Type") or ""),
    )


def join_host_port(host: str, port: str) -> str:
    """Return `host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def displayed_ports(ports: list[Port]) -> str:
    """Return all ports; neighbours that are published under their own numbers are drawn together."""
    groups: dict[tuple[str, str], list[int]] = {}
    ranges: list[str] = []
    mappings: list[str] = []
    for port in sorted(ports, key=_order):
        private, public = _number(port, "PrivatePort"), _number(port, "PublicPort")
        address, protocol = str(port.get("IP") or ""), str(port.get("Type") or "")
        if address and public != private:
            mappings.append(f"{join_host_port(address, str(public))}->{private}/{protocol}")
            continue
        group = groups.get((address, protocol))
        if group is not None and private == group[1] + 1:
            group[1] = private
            continue
        if group is not None:
            ranges.append(_range(address, protocol, group))
            group[:] = [private, private]
        else:
            groups[address, protocol] = [private, private]
    ranges += [_range(address, protocol, group) for (address, protocol), group in groups.items()]
    return ", ".join(ranges + mappings)


def _range(address: str, protocol: str, group: list[int]) -> str:
    first, last = group
    numbers = str(first) if first == last else f"{first}-{last}"
    return f"{join_host_port(address, numbers)}->{numbers}/{protocol}" if address else f"{numbers}/{protocol}"
