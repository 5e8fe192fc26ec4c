"""The text of `info`."""

from __future__ import annotations

from windlass.cli.units import binary_size

Info = dict[str, object]
_ON = {True: "true", False: "false"}


def info_text(info: Info) -> str:
    """Return what `GET /info` says, laid out for reading."""
    lines = ["", "Server:"]
    lines += _counts(info)
    lines += _storage(info)
    lines += _plugins(info)
    lines += _runtimes(info)
    lines += _host(info)
    lines += _daemon(info)
    return "\n".join(lines) + "\n\n"


def _counts(info: Info) -> list[str]:
    return [
        f" Containers: {info.get('Containers', 0)}",
        f"  Running: {info.get('ContainersRunning', 0)}",
        f"  Paused: {info.get('ContainersPaused', 0)}",
        f"  Stopped: {info.get('ContainersStopped', 0)}",
        f" Images: {info.get('Images', 0)}",
        f" Server Version: {info.get('ServerVersion', '')}",
    ]


def _storage(info: Info) -> list[str]:
    lines = [f" Storage Driver: {info.get('Driver', '')}"]
    lines += [f"  {pair[0]}: {pair[1]}" for pair in _pairs(info.get("DriverStatus"))]
    lines += [
        f" Logging Driver: {info.get('LoggingDriver', '')}",
        f" Cgroup Driver: {info.get('CgroupDriver', '')}",
        f" Cgroup Version: {info.get('CgroupVersion', '')}",
    ]
    return lines


def _pairs(value: object) -> list[list[str]]:
    return [pair for pair in value if isinstance(pair, list) and len(pair) == 2] if isinstance(value, list) else []


def _plugins(info: Info) -> list[str]:
    plugins = info.get("Plugins")
    plugins = plugins if isinstance(plugins, dict) else {}
    lines = [" Plugins:"]
    for kind in ("Volume", "Network", "Authorization", "Log"):
        names = plugins.get(kind)
        if names or kind in ("Volume", "Network"):
            lines.append(f"  {kind}: {' '.join(sorted(names or ()))}")
    swarm = info.get("Swarm")
    state = swarm.get("LocalNodeState") if isinstance(swarm, dict) else None
    return [*lines, f" Swarm: {state or 'inactive'}"]


def _runtimes(info: Info) -> list[str]:
    lines = []
    runtimes = info.get("Runtimes")
    if isinstance(runtimes, dict) and runtimes:
        lines += [f" Runtimes: {' '.join(sorted(runtimes))}", f" Default Runtime: {info.get('DefaultRuntime', '')}"]
    lines.append(f" Init Binary: {info.get('InitBinary') or ''}".rstrip())
    for title, key in (("containerd", "ContainerdCommit"), ("runc", "RuncCommit"), ("init", "InitCommit")):
        commit = info.get(key)
        if isinstance(commit, dict) and (commit.get("ID") or title == "init"):
            lines.append(f" {title} version: {commit.get('ID', '')}")
    options = info.get("SecurityOptions")
    if isinstance(options, list) and options:
        lines.append(" Security Options:")
        for option in options:
            lines += _security_option(str(option))
    return lines


def _security_option(text: str) -> list[str]:
    fields = [field.partition("=") for field in text.split(",")]
    name = next((value for key, _, value in fields if key == "name"), text)
    extra = [f"   {key.capitalize()}: {value}" for key, _, value in fields if key != "name" and value]
    return [f"  {name}", *extra]


def _host(info: Info) -> list[str]:
    memory = info.get("MemTotal")
    return [
        f" Kernel Version: {info.get('KernelVersion', '')}",
        f" Operating System: {info.get('OperatingSystem', '')}",
        f" OSType: {info.get('OSType', '')}",
        f" Architecture: {info.get('Architecture', '')}",
        f" CPUs: {info.get('NCPU', 0)}",
        f" Total Memory: {binary_size(memory if isinstance(memory, int) else 0)}",
        f" Name: {info.get('Name', '')}",
        f" ID: {info.get('ID', '')}",
        f" Docker Root Dir: {info.get('DockerRootDir', '')}",
        f" Debug Mode: {_ON[bool(info.get('Debug'))]}",
    ]


def _daemon(info: Info) -> list[str]:
    lines = [
        f" {title}: {info[key]}"
        for title, key in (("HTTP Proxy", "HttpProxy"), ("HTTPS Proxy", "HttpsProxy"), ("No Proxy", "NoProxy"))
        if info.get(key)
    ]
    labels = info.get("Labels")
    if isinstance(labels, list) and labels:
        lines += [" Labels:", *(f"  {label}" for label in labels)]
    lines.append(f" Experimental: {_ON[bool(info.get('ExperimentalBuild'))]}")
    registry = info.get("RegistryConfig")
    registry = registry if isinstance(registry, dict) else {}
    insecure = [name for name, entry in (registry.get("IndexConfigs") or {}).items() if not entry.get("Secure")]
    insecure += registry.get("InsecureRegistryCIDRs") or []
    if insecure:
        lines += [" Insecure Registries:", *(f"  {name}" for name in insecure)]
    if registry.get("Mirrors"):
        lines += [" Registry Mirrors:", *(f"  {mirror}" for mirror in registry["Mirrors"])]
    lines.append(f" Live Restore Enabled: {_ON[bool(info.get('LiveRestoreEnabled'))]}")
    if info.get("FirewallBackend"):
        backend = info["FirewallBackend"]
        lines.append(f" Firewall Backend: {backend.get('Driver', '') if isinstance(backend, dict) else backend}")
    return lines
