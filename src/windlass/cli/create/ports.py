"""Published and exposed ports.

Source: https://docs.docker.com/reference/cli/docker/container/run/#publish
"""

from __future__ import annotations

from windlass.cli.create.addresses import is_ip
from windlass.cli.gotext import parse_uint

PROTOCOLS = ("tcp", "udp", "sctp")
Binding = dict[str, str]


def port_range(text: str) -> tuple[int, int]:
    """Parse `80` or `80-82` into first and last; raises ValueError."""
    if not text:
        raise ValueError("empty string specified for ports")
    first_text, dash, last_text = text.partition("-")
    first = parse_uint(first_text, 16, 10)
    last = parse_uint(last_text, 16, 10) if dash else first
    if last < first:
        raise ValueError(f"invalid range specified for port: {text}")
    return first, last


def exposed(values: list[str]) -> dict[str, dict[str, str]]:
    """Return ExposedPorts for the values of `--expose`; raises ValueError."""
    ports: dict[str, dict[str, str]] = {}
    for text in values:
        if ":" in text:
            raise ValueError(f"invalid port format for --expose: {text}")
        numbers, _, protocol = text.partition("/")
        try:
            first, last = port_range(numbers)
        except ValueError as error:
            raise ValueError(f"invalid range format for --expose: {text}, error: {error}") from None
        for port in range(first, last + 1):
            ports[f"{port}/{protocol or 'tcp'}"] = {}
    return ports


def published(values: list[str]) -> dict[str, list[Binding]]:
    """Return PortBindings for the values of `-p`, short or long form; raises ValueError."""
    bindings: dict[str, list[Binding]] = {}
    for text in values:
        for port, binding in _bindings(_short_form(text) if "=" in text else text):
            bindings.setdefault(port, []).append(binding)
    return bindings


def _short_form(text: str) -> str:
    """Rewrite `target=80,published=8080` as `8080:80/tcp`."""
    from windlass.cli.create.csv_line import key_values

    fields = {"published": "", "target": "", "protocol": "tcp"}
    for key, value in key_values(text):
        if value is None:
            raise ValueError(f"invalid field {key}")
        fields[key] = value
    return f"{fields['published']}:{fields['target']}/{fields['protocol']}"


def _bindings(text: str) -> list[tuple[str, Binding]]:
    address, host_port, container_port = _split(text)
    numbers, _, protocol = container_port.partition("/")
    protocol = protocol or "tcp"
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if address and not is_ip(address):
        raise ValueError(f"invalid IP address: {address}")
    if not numbers:
        raise ValueError(f"no port specified: {text}<empty>")
    first, last = _range_or(numbers, f"invalid containerPort: {numbers}")
    host_first, host_last = _range_or(host_port, f"invalid hostPort: {host_port}") if host_port else (0, 0)
    if protocol.lower() not in PROTOCOLS:
        raise ValueError(f"invalid proto: {protocol}")
    span = last - first
    if host_port and host_last - host_first != span and span:
        raise ValueError(f"invalid ranges specified for container and host Ports: {numbers} and {host_port}")
    result = []
    for offset in range(span + 1):
        host = str(host_first + offset) if host_port else ""
        if host_port and not span and host_last != host_first:
            host = f"{host_first}-{host_last}"  # any free port of the range
        result.append((f"{first + offset}/{protocol.lower()}", {"HostIp": address, "HostPort": host}))
    return result


def _range_or(text: str, message: str) -> tuple[int, int]:
    try:
        return port_range(text)
    except ValueError:
        raise ValueError(message) from None


def _split(text: str) -> tuple[str, str, str]:
    *rest, container_port = text.split(":")
    if not rest:
        return "", "", container_port
    return ":".join(rest[:-1]), rest[-1], container_port
