"""The body of ContainerCreate from flags, image and arguments.

Source: Engine API, ContainerCreate; most fields that keep their zero value are left out.
"""

from __future__ import annotations

from windlass.cli.errors import CliError
from windlass.cli.gotext import parse_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.flags import Values

MAX_SWAPPINESS = 100

# Flags whose value goes unchanged into a field.
_CONFIG = {
    "hostname": "Hostname",
    "domainname": "Domainname",
    "user": "User",
    "workdir": "WorkingDir",
    "stop-signal": "StopSignal",
    "tty": "Tty",
    "interactive": "OpenStdin",
}
_HOST = {
    "add-host": "ExtraHosts",
    "blkio-weight": "BlkioWeight",
    "blkio-weight-device": "BlkioWeightDevice",
    "cgroup-parent": "CgroupParent",
    "cgroupns": "CgroupnsMode",
    "cidfile": "ContainerIDFile",
    "cpu-period": "CpuPeriod",
    "cpu-quota": "CpuQuota",
    "cpu-rt-period": "CpuRealtimePeriod",
    "cpu-rt-runtime": "CpuRealtimeRuntime",
    "cpu-shares": "CpuShares",
    "cpus": "NanoCpus",
    "cpuset-cpus": "CpusetCpus",
    "cpuset-mems": "CpusetMems",
    "device-cgroup-rule": "DeviceCgroupRules",
    "device-read-bps": "BlkioDeviceReadBps",
    "device-read-iops": "BlkioDeviceReadIOps",
    "device-write-bps": "BlkioDeviceWriteBps",
    "device-write-iops": "BlkioDeviceWriteIOps",
    "dns": "Dns",
    "dns-option": "DnsOptions",
    "dns-search": "DnsSearch",
    "group-add": "GroupAdd",
    "ipc": "IpcMode",
    "isolation": "Isolation",
    "link": "Links",
    "memory": "Memory",
    "memory-reservation": "MemoryReservation",
    "memory-swap": "MemorySwap",
    "oom-kill-disable": "OomKillDisable",
    "oom-score-adj": "OomScoreAdj",
    "pid": "PidMode",
    "pids-limit": "PidsLimit",
    "privileged": "Privileged",
    "publish-all": "PublishAllPorts",
    "read-only": "ReadonlyRootfs",
    "rm": "AutoRemove",
    "runtime": "Runtime",
    "shm-size": "ShmSize",
    "userns": "UsernsMode",
    "uts": "UTSMode",
    "volume-driver": "VolumeDriver",
    "volumes-from": "VolumesFrom",
}

# What the engine is told in any case, so that `inspect` shows lists where nothing was asked for.
_HOST_DEFAULTS: dict[str, object] = {
    "Dns": [],
    "DnsOptions": [],
    "DnsSearch": [],
    "BlkioWeightDevice": [],
    "BlkioDeviceReadBps": [],
    "BlkioDeviceReadIOps": [],
    "BlkioDeviceWriteBps": [],
    "BlkioDeviceWriteIOps": [],
    "Devices": [],
    "Ulimits": [],
    "OomKillDisable": False,
    "PidsLimit": 0,
    "MemorySwappiness": -1,
}

Fields = dict[str, object]


def create_body(values: Values, image: str, arguments: list[str], *, detached: bool = False) -> Fields:
    """Return the request's body; raises CliError for values that contradict each other or make no sense."""
    try:
        host = _host_config(values)
        config = _config(values, image, arguments, detached=detached)
        _fill_ports(values, config, host)
        _fill_storage(values, config, host)
        endpoints = _fill_networks(values, host)
    except ValueError as error:
        raise CliError(str(error)) from None
    return {**config, "HostConfig": host, "NetworkingConfig": {"EndpointsConfig": endpoints}}


def _copied(values: Values, table: dict[str, str]) -> Fields:
    return {field: values.get(name) for name, field in table.items() if values.given(name) and values.get(name)}


def _config(values: Values, image: str, arguments: list[str], *, detached: bool) -> Fields:
    config = {"Image": image, **_copied(values, _CONFIG), **_attachments(values, detached=detached)}
    if arguments:
        config["Cmd"] = arguments
    if values.given("entrypoint"):
        config["Entrypoint"] = [values.text("entrypoint")]
    if values.given("stop-timeout"):
        config["StopTimeout"] = values.number("stop-timeout")
    if values.given("env") or values.given("env-file"):
        from windlass.cli.create.environment import merged

        config["Env"] = merged(values.texts("env-file"), values.texts("env"))
    if values.given("label") or values.given("label-file"):
        from windlass.cli.create.environment import labels

        config["Labels"] = labels(values.texts("label-file"), values.texts("label"))
    if any(values.given(name) for name in _HEALTH_FLAGS):
        from windlass.cli.create.health import healthcheck

        config["Healthcheck"] = healthcheck(values)
    return config


_HEALTH_FLAGS = (
    "health-cmd",
    "health-interval",
    "health-retries",
    "health-start-interval",
    "health-start-period",
    "health-timeout",
    "no-healthcheck",
)


def _attachments(values: Values, *, detached: bool) -> Fields:
    chosen = set(values.texts("attach"))
    if detached:
        chosen = set()
    elif not chosen:
        chosen = {"stdout", "stderr"}
    if values.on("interactive") and not detached:
        chosen.add("stdin")
    fields: Fields = {f"Attach{name.capitalize()}": True for name in sorted(chosen)}
    if values.on("interactive") and "stdin" in chosen:
        fields["StdinOnce"] = True
    return fields


def _host_config(values: Values) -> Fields:
    host = {**_HOST_DEFAULTS, **_copied(values, _HOST)}
    if values.given("memory-swappiness"):
        host["MemorySwappiness"] = _swappiness(values.number("memory-swappiness"))
    policy = restart_policy(values.text("restart"))
    if values.on("rm") and policy["Name"] not in ("", "no"):
        raise ValueError("conflicting options: cannot specify both --restart and --rm")
    host["RestartPolicy"] = policy
    if values.given("init"):
        host["Init"] = values.on("init")
    if values.given("log-driver") or values.given("log-opt"):
        host["LogConfig"] = _log_config(values)
    for name in ("storage-opt", "sysctl", "annotation"):
        if values.given(name):
            host[{"storage-opt": "StorageOpt", "sysctl": "Sysctls", "annotation": "Annotations"}[name]] = _pairs(
                values, name
            )
    if values.given("ulimit"):
        from windlass.cli.create.limits import unique_ulimits

        host["Ulimits"] = unique_ulimits(values.items("ulimit"))
    _fill_security(values, host)
    _fill_devices(values, host)
    return host


def _swappiness(value: int) -> int:
    if value != -1 and not 0 <= value <= MAX_SWAPPINESS:
        raise ValueError(f"invalid value: {value}. Valid memory swappiness range is 0-100")
    return value


def restart_policy(text: str) -> Fields:
    """Return the RestartPolicy for `always` or `on-failure:3`; raises ValueError."""
    name, colon, count = text.partition(":")
    if not colon:
        return {"Name": name, "MaximumRetryCount": 0}
    if not name:
        raise ValueError("invalid restart policy format: no policy provided before colon")
    try:
        return {"Name": name, "MaximumRetryCount": parse_int(count, base=10)}
    except ValueError:
        raise ValueError("invalid restart policy format: maximum retry count must be an integer") from None


def _log_config(values: Values) -> Fields:
    options = _pairs(values, "log-opt")
    if values.text("log-driver") == "none" and options:
        raise ValueError("invalid logging opts for driver none")
    return {"Type": values.text("log-driver"), "Config": options}


def _pairs(values: Values, name: str) -> dict[str, str]:
    from windlass.cli.create.environment import mapping

    lines = values.texts(name)
    if name == "storage-opt" and not all("=" in line for line in lines):
        raise ValueError("invalid storage option")
    return mapping(lines)


def _fill_security(values: Values, host: Fields) -> None:
    if not any(map(values.given, ("security-opt", "cap-add", "cap-drop", "pid", "uts", "userns", "cgroupns"))):
        return
    from windlass.cli.create.security import capabilities, check_namespaces, security_options

    check_namespaces(values.text("pid"), values.text("uts"), values.text("userns"), values.text("cgroupns"))
    options, unmasked = security_options(values.texts("security-opt"))
    added, dropped = capabilities(values.texts("cap-add")), capabilities(values.texts("cap-drop"))
    host.update(
        {name: items for name, items in (("SecurityOpt", options), ("CapAdd", added), ("CapDrop", dropped)) if items}
    )
    if unmasked:
        host["MaskedPaths"] = host["ReadonlyPaths"] = []


def _fill_devices(values: Values, host: Fields) -> None:
    requests = values.items("gpus")
    if values.given("device"):
        from windlass.cli.create.devices import devices

        nodes, names = devices(values.texts("device"))
        requests += names
        if nodes:
            host["Devices"] = nodes
    if requests:
        host["DeviceRequests"] = requests


def _fill_ports(values: Values, config: Fields, host: Fields) -> None:
    if not (values.given("publish") or values.given("expose")):
        return
    from windlass.cli.create.ports import exposed, published

    bindings = published(values.texts("publish"))
    config["ExposedPorts"] = {**{port: {} for port in bindings}, **exposed(values.texts("expose"))}
    if bindings:
        host["PortBindings"] = bindings


def _fill_storage(values: Values, config: Fields, host: Fields) -> None:
    mounts = values.items("mount")
    if mounts:
        host["Mounts"] = mounts
    if values.given("volume"):
        from windlass.cli.create.storage import binds_and_volumes

        binds, volumes = binds_and_volumes(values.texts("volume"))
        if binds:
            host["Binds"] = binds
        if volumes:
            config["Volumes"] = volumes
    if values.given("tmpfs"):
        from windlass.cli.create.storage import tmpfs

        host["Tmpfs"] = tmpfs(values.texts("tmpfs"))


_NETWORK_FLAGS = ("network", "network-alias", "ip", "ip6", "link", "link-local-ip", "mac-address")


def _fill_networks(values: Values, host: Fields) -> Fields:
    if not any(map(values.given, _NETWORK_FLAGS)):
        host["NetworkMode"] = "default"
        return {"default": {}}
    from windlass.cli.create.networks import attachments

    chosen = attachments(values)
    host["NetworkMode"] = chosen[0].name
    endpoints: Fields = {item.name: item.endpoint() for item in chosen}
    if values.given("network") and not chosen[0].is_user_defined:
        return {name: settings for name, settings in endpoints.items() if settings}
    return endpoints
