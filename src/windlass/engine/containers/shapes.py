"""Parts of containers in the API's shapes, shared by `ps` and `inspect`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from windlass.engine.containers.model import EndpointState, Intent, State
from windlass.network.ports import parse_exposed
from windlass.runtime.intent import MountPoint
from windlass.spec.container import EndpointSettings

PortMap = dict[str, list[dict[str, str]] | None]

# Left out when they have no value; everything else is shown. Source: `omitempty` in Engine API clients' types.
_OPTIONAL = frozenset(
    (
        "Annotations",
        "ArgsEscaped",
        "ExposedPorts",
        "Healthcheck",
        "Init",
        "KernelMemory",
        "KernelMemoryTCP",
        "MacAddress",
        "Mounts",
        "NetworkDisabled",
        "Shell",
        "StopSignal",
        "StopTimeout",
        "StorageOpt",
        "Sysctls",
        "Tmpfs",
    )
)


def document(value: msgspec.Struct) -> dict[str, Any]:
    """Return a configuration as the API shows it: optional members only when they have a value."""
    members: dict[str, Any] = msgspec.to_builtins(value)
    return {
        name: _compact(member) if name in ("Mounts", "Healthcheck") else member
        for name, member in members.items()
        if name not in _OPTIONAL or member or (name == "StopTimeout" and member is not None)
    }


def _compact(value: Any) -> Any:
    """Drop members without a value, at every depth."""
    if isinstance(value, dict):
        return {name: _compact(member) for name, member in value.items() if member}
    if isinstance(value, list):
        return [_compact(member) for member in value]
    return value


def mount_points(mounts: Iterable[MountPoint]) -> list[dict[str, object]]:
    """Return the API's MountPoint list."""
    return [_mount_point(point) for point in mounts]


def _mount_point(point: MountPoint) -> dict[str, object]:
    shown: dict[str, object] = {"Type": point.type}
    if point.name:
        shown["Name"] = point.name
    shown |= {"Source": point.source, "Destination": point.destination}
    if point.type == "volume":
        shown["Driver"] = point.driver or "local"
    mode = point.mode or ("z" if point.type == "volume" else "")
    return shown | {"Mode": mode, "RW": not point.read_only, "Propagation": point.propagation}


def network_settings(intent: Intent, state: State, network_ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the API's EndpointSettings by network name; addresses only while the container runs."""
    given = {endpoint.network_name: endpoint for endpoint in state.endpoints}
    return {
        name: _endpoint_settings(settings, given.get(name), network_ids.get(name, ""))
        for name, settings in intent.networks.items()
    }


def _endpoint_settings(settings: EndpointSettings, endpoint: EndpointState | None, network_id: str) -> dict[str, Any]:
    if endpoint is not None:
        settings = msgspec.structs.replace(
            settings,
            network_id=endpoint.network_id,
            endpoint_id=endpoint.id,
            gateway=endpoint.gateway,
            ip_address=endpoint.ip4,
            ip_prefix_len=endpoint.prefix_len,
            mac_address=endpoint.mac,
        )
    elif network_id and not settings.network_id:
        settings = msgspec.structs.replace(settings, network_id=network_id)
    shown: dict[str, Any] = msgspec.to_builtins(settings)
    if settings.ipam_config is not None:
        shown["IPAMConfig"] = _compact(shown["IPAMConfig"])
    return shown


def port_map(intent: Intent, state: State) -> PortMap:
    """Return `NetworkSettings.Ports`: what is published, and with null what is only exposed; empty when not running."""
    if not state.is_running:
        return {}
    ports: PortMap = {}
    for endpoint in state.endpoints[:1]:
        for port in endpoint.ports:
            entries = ports.get(f"{port.container_port}/{port.protocol}") or []
            entries.append({"HostIp": port.host_ip, "HostPort": str(port.host_port)})
            ports[f"{port.container_port}/{port.protocol}"] = entries
    for number, protocol in exposed_ports(intent):
        ports.setdefault(f"{number}/{protocol}", None)
    return ports


def exposed_ports(intent: Intent) -> list[tuple[int, str]]:
    """Return the ports that a container or its image exposes."""
    found = []
    for spec in intent.config.exposed_ports or {}:
        numbers, protocol = parse_exposed(spec)
        found += [(number, protocol) for number in numbers]
    return sorted(found)
