"""`version`, `info` and `system df`.

Source: Engine API, SystemVersion, SystemInfo, SystemDataUsageResponse.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Collection

from windlass.base.clock import now_ns, rfc3339_nano
from windlass.base.errors import InvalidParameter
from windlass.base.threads import run_blocking
from windlass.engine import host_info
from windlass.engine.containers.inspect import STORAGE_DRIVER
from windlass.engine.containers.list import ListRequest, list_containers
from windlass.engine.containers.log_options import LOG_DRIVERS
from windlass.engine.containers.size import log_usage
from windlass.engine.engine import Engine
from windlass.engine.settings import EngineSettings
from windlass.runtime.namespaces import cgroupns_default
from windlass.snapshots.usage import disk_usage as directory_usage
from windlass.spec.platform import host

API_VERSION = "1.50"
MINIMUM_API_VERSION = "1.24"
PRODUCT = "Windlass Engine"
# The launcher itself is the init of containers that want one.
OWN_INIT = "windlass"
INDEX_SERVER = "https://index.docker.io/v1/"

_DF_TYPES = ("container", "image", "volume", "build-cache")


def version(engine: Engine) -> dict[str, object]:
    """Return the engine's and the API's versions."""
    found = engine.settings.version
    architecture = host().architecture
    kernel = platform.release()
    details = {
        "ApiVersion": API_VERSION,
        "Arch": architecture,
        "BuildTime": "",
        "Experimental": "false",
        "GitCommit": "",
        "GoVersion": "",
        "KernelVersion": kernel,
        "MinAPIVersion": MINIMUM_API_VERSION,
        "Os": "linux",
        "PythonVersion": platform.python_version(),
    }
    return {
        "Platform": {"Name": PRODUCT},
        "Components": [{"Name": "Engine", "Version": found, "Details": details}],
        "Version": found,
        "ApiVersion": API_VERSION,
        "MinAPIVersion": MINIMUM_API_VERSION,
        "GitCommit": "",
        "GoVersion": "",
        "Os": "linux",
        "Arch": architecture,
        "KernelVersion": kernel,
    }


async def info(engine: Engine) -> dict[str, object]:
    """Return what there is and what the host can do."""
    states = [container.state.status for container in engine.containers]
    paused = states.count("paused")
    running = states.count("running")
    facts, settings = engine.facts, engine.settings
    file_system = await run_blocking(host_info.file_system, settings.data_root)
    return {
        "ID": await run_blocking(host_info.machine_id),
        "Containers": len(states),
        "ContainersRunning": running,
        "ContainersPaused": paused,
        "ContainersStopped": len(states) - running - paused,
        "Images": len(await engine.images.list(show_all=True)),
        "Driver": STORAGE_DRIVER,
        "DriverStatus": [
            ["Backing Filesystem", file_system],
            ["Supports d_type", "true"],
            ["Native Overlay Diff", "true"],
        ],
        "Plugins": {
            "Volume": ["local"],
            "Network": ["bridge", "host", "null"],
            "Authorization": None,
            "Log": list(LOG_DRIVERS),
        },
        **_limits(engine),
        "IPv4Forwarding": await run_blocking(host_info.ip_forwarding),
        "Debug": settings.debug,
        "NFd": len(os.listdir("/proc/self/fd")),
        "OomKillDisable": "oom_control" in facts.features,
        "NGoroutines": 0,
        "SystemTime": rfc3339_nano(now_ns()),
        "LoggingDriver": settings.log_driver,
        "CgroupDriver": "systemd" if engine.defaults.systemd_cgroups else "cgroupfs",
        "CgroupVersion": str(facts.cgroup_version),
        "NEventsListener": engine.events.listeners,
        "KernelVersion": platform.release(),
        "OperatingSystem": await run_blocking(host_info.operating_system),
        "OSVersion": "",
        "OSType": "linux",
        "Architecture": platform.machine(),
        "IndexServerAddress": INDEX_SERVER,
        "RegistryConfig": _registries(settings),
        "NCPU": facts.cpu_count,
        "MemTotal": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "GenericResources": None,
        "DockerRootDir": settings.data_root,
        "HttpProxy": "",
        "HttpsProxy": "",
        "NoProxy": "",
        "Name": platform.node(),
        "Labels": list(settings.labels),
        "ExperimentalBuild": False,
        "ServerVersion": settings.version,
        "Runtimes": settings.runtimes.shown(),
        "DefaultRuntime": settings.runtimes.default,
        "Swarm": {
            "NodeID": "",
            "NodeAddr": "",
            "LocalNodeState": "inactive",
            "ControlAvailable": False,
            "Error": "",
            "RemoteManagers": None,
        },
        "LiveRestoreEnabled": settings.live_restore,
        "Isolation": "",
        "InitBinary": settings.init_path or OWN_INIT,
        "ContainerdCommit": {"ID": ""},
        "RuncCommit": {"ID": ""},
        "InitCommit": {"ID": ""},
        "SecurityOptions": _security_options(engine),
        "Warnings": _warnings(engine),
    }


def _registries(settings: EngineSettings) -> dict[str, object]:
    """Source: Engine API, RegistryServiceConfig; networks of insecure registries apart from hosts."""
    mirrors = list(settings.registry_mirrors)
    official = {"Name": "docker.io", "Mirrors": mirrors, "Secure": True, "Official": True}
    hosts = [text for text in settings.insecure_registries if "/" not in text]
    insecure = {host: {"Name": host, "Mirrors": [], "Secure": False, "Official": False} for host in hosts}
    networks = [text for text in settings.insecure_registries if "/" in text]
    return {
        "IndexConfigs": {"docker.io": official, **insecure},
        "InsecureRegistryCIDRs": ["::1/128", "127.0.0.0/8", *networks],
        "Mirrors": mirrors,
    }


def _limits(engine: Engine) -> dict[str, bool]:
    facts = engine.facts
    has = facts.controllers.__contains__
    return {
        "MemoryLimit": has("memory"),
        "SwapLimit": "swap" in facts.features,
        "CpuCfsPeriod": "cfs" in facts.features,
        "CpuCfsQuota": "cfs" in facts.features,
        "CPUShares": has("cpu"),
        "CPUSet": has("cpuset"),
        "PidsLimit": has("pids"),
    }


def _security_options(engine: Engine) -> list[str]:
    """What new containers get by default."""
    settings, facts = engine.settings, engine.facts
    mode = settings.cgroupns_mode or cgroupns_default(privileged=False, cgroup_version=facts.cgroup_version)
    switches = {
        "name=apparmor": facts.apparmor,
        f"name=seccomp,profile={settings.seccomp_profile or 'builtin'}": True,
        "name=userns": engine.id_mappings is not None,
        "name=cgroupns": mode == "private",
        "name=no-new-privileges": settings.no_new_privileges,
    }
    return [option for option, is_on in switches.items() if is_on]


def _warnings(engine: Engine) -> list[str] | None:
    limits = _limits(engine)
    texts = {
        "MemoryLimit": "WARNING: No memory limit support",
        "SwapLimit": "WARNING: No swap limit support",
        "CpuCfsQuota": "WARNING: No cpu cfs quota support",
        "CPUShares": "WARNING: No cpu shares support",
        "CPUSet": "WARNING: No cpuset support",
        "PidsLimit": "WARNING: No pids limit support",
    }
    missing = [text for name, text in texts.items() if not limits[name]]
    return [*engine.settings.warnings, *missing] or None


async def disk_usage(engine: Engine, types: Collection[str]) -> dict[str, object]:
    """Return what takes how much of the disk; `types` are those of the API, none for all. Looks at every file.

    Raises:
        InvalidParameter: an unknown type.
    """
    for kind in types:
        if kind not in _DF_TYPES:
            raise InvalidParameter(f"unknown object type: {kind}")
    wanted = set(types) or set(_DF_TYPES)
    images = await engine.images.list(show_all=True, shared_size=True) if "image" in wanted else None
    shown: dict[str, object] = {"LayersSize": 0, "Images": images, "Containers": None, "Volumes": None}
    if images is not None:
        shown["LayersSize"] = engine.images.layers_size()
        _count_users(engine, images)
    if "container" in wanted:
        shown["Containers"] = await _container_usage(engine)
    if "volume" in wanted:
        shown["Volumes"] = [await _volume_usage(engine, name) for name in (v.name for v in engine.volumes)]
    shown["BuildCache"] = [] if "build-cache" in wanted else None
    return shown


async def _container_usage(engine: Engine) -> list[dict[str, object]]:
    """Containers with what they have written, and their logs, which nobody else would count."""
    containers = await list_containers(engine, ListRequest(all=True, size=True))
    paths = [engine.paths.container(str(container["Id"])) for container in containers]
    for container, size in zip(containers, await run_blocking(log_usage, paths), strict=True):
        container["SizeRw"] = int(str(container.get("SizeRw", 0))) + size
    return containers


def _count_users(engine: Engine, images: list[dict[str, object]]) -> None:
    used = [container.intent.image_id for container in engine.containers]
    for image in images:
        image["Containers"] = used.count(str(image["Id"]))


async def _volume_usage(engine: Engine, name: str) -> dict[str, object]:
    volume = engine.volumes.get(name)
    size = await run_blocking(directory_usage, volume.path)
    usage = {"Size": size, "RefCount": len(engine.volumes.users(name))}
    return {**volume.to_api(), "UsageData": usage}
