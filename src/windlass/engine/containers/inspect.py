"""`inspect`: everything about a container.

Source: Engine API, ContainerInspectResponse.
"""

from __future__ import annotations

from typing import Any

from windlass.base.clock import rfc3339_nano
from windlass.base.threads import run_blocking
from windlass.engine.containers.container import Container
from windlass.engine.containers.links import shown_links
from windlass.engine.containers.model import EndpointState, State
from windlass.engine.containers.shapes import document, mount_points, network_settings, port_map
from windlass.engine.containers.size import container_sizes
from windlass.engine.engine import Engine
from windlass.engine.health.model import Health
from windlass.runtime.namespaces import joined_container

STORAGE_DRIVER = "overlay2"


async def inspect(engine: Engine, reference: str, *, size: bool = False) -> dict[str, object]:
    """Return the API's description of a container; `size` looks at its files.

    Raises:
        NoSuchContainer: there is none.
    """
    container = engine.containers.get(reference)
    shown = _describe(engine, container)
    if size:
        shown["SizeRw"], shown["SizeRootFs"] = await run_blocking(container_sizes, engine, container)
    return shown


def _describe(engine: Engine, container: Container) -> dict[str, object]:
    intent, paths = container.intent, container.paths
    path, *arguments = intent.argv
    host = document(intent.host_config)
    host["Links"] = shown_links(engine, intent)
    etc = paths
    if target := joined_container(intent.host_config.network_mode):
        other = next((c for c in engine.containers if target in (c.id, c.name)), None)
        etc = other.paths if other is not None else paths
    return {
        "Id": container.id,
        "Created": rfc3339_nano(intent.created_ns),
        "Path": path,
        "Args": arguments,
        "State": _state(container.state, container.health),
        "Image": intent.image_id,
        "ResolvConfPath": etc.resolv_conf,
        "HostnamePath": etc.hostname,
        "HostsPath": etc.hosts,
        "LogPath": paths.log if intent.host_config.log_config.type == "json-file" else "",
        "Name": f"/{container.name}",
        "RestartCount": container.state.restart_count,
        "Driver": STORAGE_DRIVER,
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": sorted(container.exec_ids) or None,
        "HostConfig": host,
        "GraphDriver": _graph_driver(engine, container),
        "Mounts": mount_points(intent.mounts),
        "Config": document(intent.config),
        "NetworkSettings": _network_settings(engine, container),
    }


def _state(state: State, health: Health | None) -> dict[str, object]:
    return {
        "Status": state.status,
        "Running": state.is_active,
        "Paused": state.status == "paused",
        "Restarting": state.status == "restarting",
        "OOMKilled": state.oom_killed,
        "Dead": state.status == "dead",
        "Pid": state.pid,
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": rfc3339_nano(state.started_at_ns),
        "FinishedAt": rfc3339_nano(state.finished_at_ns),
        **({"Health": _health(health)} if health is not None else {}),
    }


def _health(health: Health) -> dict[str, object]:
    results = [
        {
            "Start": rfc3339_nano(result.started_at_ns),
            "End": rfc3339_nano(result.ended_at_ns),
            "ExitCode": result.exit_code,
            "Output": result.output,
        }
        for result in health.log
    ]
    return {"Status": health.status, "FailingStreak": health.failing_streak, "Log": results}


def _graph_driver(engine: Engine, container: Container) -> dict[str, object]:
    paths = container.paths
    lower = [f"{engine.paths.layers}/{name}/d" for name in engine.images.layers_of(container.intent.image_id)]
    data = {
        "ID": container.id,
        "LowerDir": ":".join(lower),
        "MergedDir": paths.rootfs,
        "UpperDir": paths.upper,
        "WorkDir": paths.work,
    }
    return {"Data": data, "Name": STORAGE_DRIVER}


def _network_settings(engine: Engine, container: Container) -> dict[str, Any]:
    state = container.state
    ids = {network.name: network.id for network in engine.networks}
    default = next((endpoint for endpoint in state.endpoints if endpoint.network_name == "bridge"), None)
    return {
        "Bridge": "",
        "SandboxID": container.id if state.is_running else "",
        "SandboxKey": f"/proc/{state.pid}/ns/net" if state.is_running else "",
        "Ports": port_map(container.intent, state),
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        **_default_address(default),
        "Networks": network_settings(container.intent, state, ids),
    }


def _default_address(endpoint: EndpointState | None) -> dict[str, object]:
    """The members that predate named networks: what the container has on the default bridge."""
    return {
        "EndpointID": endpoint.id if endpoint else "",
        "Gateway": endpoint.gateway if endpoint else "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": endpoint.ip4 if endpoint else "",
        "IPPrefixLen": endpoint.prefix_len if endpoint else 0,
        "IPv6Gateway": "",
        "MacAddress": endpoint.mac if endpoint else "",
    }
