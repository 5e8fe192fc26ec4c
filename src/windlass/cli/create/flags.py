"""The flags `run` and `create` share.

Parsers that are seldom needed are imported when their flag is used: every module costs a third of a millisecond.
"""

from __future__ import annotations

from windlass.cli.flags import Flag, integer, listing, switch, text
from windlass.cli.gotext import parse_uint
from windlass.cli.variables import variable_flag

CGROUPNS_USAGE = """Cgroup namespace to use (host|private)
'host':    Run the container in the Docker host's cgroup namespace
'private': Run the container in its own private cgroup namespace
'':        Use the cgroup namespace as configured by the
           default-cgroupns-mode option on the daemon (default)"""


def _stream(value: str) -> str:
    name = value.lower()
    if name in ("stdin", "stdout", "stderr"):
        return name
    raise ValueError("valid streams are STDIN, STDOUT and STDERR")


def _memory(value: str) -> int:
    from windlass.cli.create.units import memory_bytes

    return memory_bytes(value)


def _memory_swap(value: str) -> int:
    from windlass.cli.create.units import memory_swap_bytes

    return memory_swap_bytes(value)


def _cpus(value: str) -> int:
    from windlass.cli.create.units import nano_cpus

    return nano_cpus(value)


def _duration(value: str) -> int:
    from windlass.cli.create.units import duration_ns

    return duration_ns(value)


def _uint16(value: str) -> int:
    return parse_uint(value, 16)


def _label(value: str) -> str:
    from windlass.cli.create.environment import label

    return label(value)


def _extra_host(value: str) -> str:
    from windlass.cli.create.addresses import extra_host

    return extra_host(value)


def _dns(value: str) -> str:
    from windlass.cli.create.addresses import checked_ip

    return checked_ip(value)


def _dns_search(value: str) -> str:
    from windlass.cli.create.addresses import checked_domain

    return checked_domain(value)


def _network(value: str) -> object:
    from windlass.cli.create.networks import parse_network

    return parse_network(value)


def _link(value: str) -> str:
    from windlass.cli.create.networks import link

    return link(value)


def _mount(value: str) -> object:
    from windlass.cli.create.mounts import parse_mount

    return parse_mount(value)


def _ulimit(value: str) -> object:
    from windlass.cli.create.limits import parse_ulimit

    return parse_ulimit(value)


def _weight_device(value: str) -> object:
    from windlass.cli.create.limits import weight_device

    return weight_device(value)


def _bps(value: str) -> object:
    from windlass.cli.create.limits import throttle_bps

    return throttle_bps(value)


def _iops(value: str) -> object:
    from windlass.cli.create.limits import throttle_iops

    return throttle_iops(value)


def _gpus(value: str) -> object:
    from windlass.cli.create.devices import parse_gpus

    return parse_gpus(value)


def _cgroup_rule(value: str) -> str:
    from windlass.cli.create.devices import cgroup_rule

    return cgroup_rule(value)


def _sysctl(value: str) -> str:
    from windlass.cli.create.security import sysctl

    return sysctl(value)


def _size(name: str, usage: str, short: str = "", *, hidden: bool = False) -> Flag:
    return integer(name, usage, short, parse=_memory, type_name="bytes", hidden=hidden)


def _time(name: str, usage: str) -> Flag:
    return integer(name, usage, parse=_duration, type_name="duration")


def _throttle(name: str, usage: str, *, operations: bool) -> Flag:
    return listing(name, usage, parse=_iops if operations else _bps, default_note="[]")


def pull_flag(moment: str) -> Flag:
    """The flag that says when to pull the image, `moment` being what follows it."""
    return text("pull", f'Pull image before {moment} ("always", "missing", "never")', default="missing")


RESOURCES = (
    integer(
        "blkio-weight",
        "Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)",
        parse=_uint16,
        type_name="uint16",
    ),
    listing("blkio-weight-device", "Block IO weight (relative device weight)", parse=_weight_device, default_note="[]"),
    text("cgroup-parent", "Optional parent cgroup for the container"),
    integer("cpu-period", "Limit CPU CFS (Completely Fair Scheduler) period"),
    integer("cpu-quota", "Limit CPU CFS (Completely Fair Scheduler) quota"),
    integer("cpu-rt-period", "Limit CPU real-time period in microseconds"),
    integer("cpu-rt-runtime", "Limit CPU real-time runtime in microseconds"),
    integer("cpu-shares", "CPU shares (relative weight)", "c"),
    integer("cpus", "Number of CPUs", parse=_cpus, type_name="decimal"),
    text("cpuset-cpus", "CPUs in which to allow execution (0-3, 0,1)"),
    text("cpuset-mems", "MEMs in which to allow execution (0-3, 0,1)"),
    listing("device", "Add a host device to the container"),
    listing("device-cgroup-rule", "Add a rule to the cgroup allowed devices list", parse=_cgroup_rule),
    _throttle("device-read-bps", "Limit read rate (bytes per second) from a device", operations=False),
    _throttle("device-read-iops", "Limit read rate (IO per second) from a device", operations=True),
    _throttle("device-write-bps", "Limit write rate (bytes per second) to a device", operations=False),
    _throttle("device-write-iops", "Limit write rate (IO per second) to a device", operations=True),
    listing(
        "gpus", "GPU devices to add to the container ('all' to pass all GPUs)", parse=_gpus, type_name="gpu-request"
    ),
    _size("kernel-memory", "Kernel memory limit"),
    _size("memory", "Memory limit", "m"),
    _size("memory-reservation", "Memory soft limit"),
    integer(
        "memory-swap",
        "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
        parse=_memory_swap,
        type_name="bytes",
    ),
    integer("memory-swappiness", "Tune container memory swappiness (0 to 100)", default=-1),
    switch("oom-kill-disable", "Disable OOM Killer"),
    integer("oom-score-adj", "Tune host's OOM preferences (-1000 to 1000)"),
    integer("pids-limit", "Tune container pids limit (set -1 for unlimited)"),
    _size("shm-size", "Size of /dev/shm"),
    listing("storage-opt", "Storage driver options for the container"),
    listing("ulimit", "Ulimit options", parse=_ulimit, type_name="ulimit", default_note="[]"),
)

NETWORK = (
    listing("add-host", "Add a custom host-to-IP mapping (host:ip)", parse=_extra_host),
    listing("dns", "Set custom DNS servers", parse=_dns),
    listing("dns-opt", "Set DNS options", hidden=True, dest="dns-option"),
    listing("dns-option", "Set DNS options"),
    listing("dns-search", "Set custom DNS search domains", parse=_dns_search),
    text("domainname", "Container NIS domain name"),
    listing("expose", "Expose a port or a range of ports"),
    text("hostname", "Container host name", "h"),
    text("ip", "IPv4 address (e.g., 172.30.100.104)"),
    text("ip6", "IPv6 address (e.g., 2001:db8::33)"),
    listing("link", "Add link to another container", parse=_link),
    listing("link-local-ip", "Container IPv4/IPv6 link-local addresses"),
    text("mac-address", "Container MAC address (e.g., 92:d0:c6:0a:29:33)"),
    listing(
        "net", "Connect a container to a network", parse=_network, type_name="network", hidden=True, dest="network"
    ),
    listing("net-alias", "Add network-scoped alias for the container", hidden=True, dest="network-alias"),
    listing("network", "Connect a container to a network", parse=_network, type_name="network"),
    listing("network-alias", "Add network-scoped alias for the container"),
    listing("publish", "Publish a container's port(s) to the host", "p"),
    switch("publish-all", "Publish all exposed ports to random ports", "P"),
)

HEALTH = (
    text("health-cmd", "Command to run to check health"),
    _time("health-interval", "Time between running the check (ms|s|m|h) (default 0s)"),
    integer("health-retries", "Consecutive failures needed to report unhealthy"),
    _time("health-start-interval", "Time between running the check during the start period (ms|s|m|h) (default 0s)"),
    _time(
        "health-start-period",
        "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h) (default 0s)",
    ),
    _time("health-timeout", "Maximum time to allow one check to run (ms|s|m|h) (default 0s)"),
    switch("no-healthcheck", "Disable any container-specified HEALTHCHECK"),
)

ISOLATION = (
    listing("cap-add", "Add Linux capabilities"),
    listing("cap-drop", "Drop Linux capabilities"),
    text("cgroupns", CGROUPNS_USAGE),
    listing("group-add", "Add additional groups to join"),
    text("ipc", "IPC mode to use"),
    text("isolation", "Container isolation technology"),
    text("pid", "PID namespace to use"),
    switch("privileged", "Give extended privileges to this container"),
    text("runtime", "Runtime to use for this container"),
    listing("security-opt", "Security Options"),
    listing("sysctl", "Sysctl options", parse=_sysctl, type_name="map", default_note="map[]"),
    text("user", "Username or UID (format: <name|uid>[:<group|gid>])", "u"),
    text("userns", "User namespace to use"),
    text("uts", "UTS namespace to use"),
)

CONTAINER = (
    listing(
        "annotation",
        "Add an annotation to the container (passed through to the OCI runtime)",
        type_name="map",
        default_note="map[]",
    ),
    listing("attach", "Attach to STDIN, STDOUT or STDERR", "a", parse=_stream),
    text("cidfile", "Write the container ID to the file"),
    switch("disable-content-trust", "Skip image verification", default=True),
    text("entrypoint", "Overwrite the default ENTRYPOINT of the image"),
    variable_flag(),
    listing("env-file", "Read in a file of environment variables"),
    switch("help", "Print usage"),
    switch("init", "Run an init inside the container that forwards signals and reaps processes"),
    switch("interactive", "Keep STDIN open even if not attached", "i"),
    listing("label", "Set meta data on a container", "l", parse=_label),
    listing("label-file", "Read in a line delimited file of labels"),
    text("log-driver", "Logging driver for the container"),
    listing("log-opt", "Log driver options"),
    listing("mount", "Attach a filesystem mount to the container", parse=_mount, type_name="mount"),
    text("name", "Assign a name to the container"),
    text("platform", "Set platform if server is multi-platform capable"),
    switch("quiet", "Suppress the pull output", "q"),
    switch("read-only", "Mount the container's root filesystem as read only"),
    text("restart", "Restart policy to apply when a container exits", default="no"),
    switch("rm", "Automatically remove the container and its associated anonymous volumes when it exits"),
    text("stop-signal", "Signal to stop the container"),
    integer("stop-timeout", "Timeout (in seconds) to stop a container"),
    listing("tmpfs", "Mount a tmpfs directory"),
    switch("tty", "Allocate a pseudo-TTY", "t"),
    switch("use-api-socket", "Bind mount Docker API socket and required auth"),
    listing("volume", "Bind mount a volume", "v"),
    text("volume-driver", "Optional volume driver for the container"),
    listing("volumes-from", "Mount volumes from the specified container(s)"),
    text("workdir", "Working directory inside the container", "w"),
)

CREATE_FLAGS = (*CONTAINER, *RESOURCES, *NETWORK, *HEALTH, *ISOLATION)
