"""Looking at the host, once per start of the engine."""

from __future__ import annotations

import os
import resource

from windlass.cgroups.model import CgroupHost
from windlass.linux.capabilities import effective_capabilities
from windlass.runtime.intent import HostFacts
from windlass.runtime.rlimits import RLIMIT_NUMBERS
from windlass.seccomp.profile import host_traits

DEFAULT_SYSCTLS = ("net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start")

_THERMAL_THROTTLE = "/sys/devices/system/cpu/cpu0/thermal_throttle"

# Feature, controller, and the file whose presence proves it (v1; a v2 controller has all of its own).
_V1_FEATURES = (
    ("swap", "memory", "memory.memsw.limit_in_bytes"),
    ("swappiness", "memory", "memory.swappiness"),
    ("oom_control", "memory", "memory.oom_control"),
    ("cfs", "cpu", "cpu.cfs_quota_us"),
    ("realtime", "cpu", "cpu.rt_runtime_us"),
    ("bfq", "blkio", "blkio.bfq.weight"),
    ("bfq", "blkio", "blkio.weight"),
    ("bfq_device", "blkio", "blkio.bfq.weight_device"),
    ("bfq_device", "blkio", "blkio.weight_device"),
)


def probe_host(cgroup_host: CgroupHost) -> HostFacts:
    """Describe this host; `cgroup_host` is what `windlass.cgroups.detect` found."""
    traits = host_traits()
    return HostFacts(
        machine=traits.machine,
        kernel=traits.kernel,
        cgroup_version=cgroup_host.version,
        controllers=frozenset((*cgroup_host.controllers, *cgroup_host.unified_controllers)),
        features=_features(cgroup_host),
        capabilities=effective_capabilities(),
        cpu_count=os.cpu_count() or 1,
        cpus=_read("/sys/devices/system/cpu/online") or "0",
        mems=_read("/sys/devices/system/node/online") or "0",
        apparmor=_read("/sys/module/apparmor/parameters/enabled").startswith("Y"),
        selinux=os.path.exists("/sys/fs/selinux/enforce"),
        ip_forwarding=_read("/proc/sys/net/ipv4/ip_forward") != "0",
        sysctls=frozenset(key for key in DEFAULT_SYSCTLS if os.path.exists("/proc/sys/" + key.replace(".", "/"))),
        hard_limits=_hard_limits(),
        kcore=os.path.exists("/proc/kcore"),
        thermal_throttle=os.path.exists(_THERMAL_THROTTLE),
    )


def _features(host: CgroupHost) -> frozenset[str]:
    if host.version == 1:
        files = {controller: _files_below(point) for controller, point in host.controllers.items()}
        return frozenset(
            feature for feature, controller, file in _V1_FEATURES if file in files.get(controller, frozenset())
        )
    found = set()
    if host.has("cpu"):
        found.add("cfs")
    if host.has("memory") and _swap_is_accounted(host.root):
        found.add("swap")
    if host.has("io") and _has_io_weights(host.root):
        found |= {"bfq", "bfq_device"}
    return frozenset(found)


def _has_io_weights(root: str) -> bool:
    """On v2, weights are BFQ's or io.cost's; only groups below the root have them, and only the latter shows there."""
    return os.path.exists(f"{root}/io.cost.qos") or not {"io.bfq.weight", "io.weight"}.isdisjoint(_files_below(root))


def _files_below(point: str) -> frozenset[str]:
    """List the control files of a group below a hierarchy's root, which lacks some (BFQ's): of one made for that."""
    probe = f"{point}/windlass-probe-{os.getpid()}"
    try:
        os.mkdir(probe)
    except OSError:
        return frozenset(os.listdir(point))
    try:
        return frozenset(os.listdir(probe))
    finally:
        os.rmdir(probe)


def _hard_limits() -> dict[int, int]:
    limits = {number: resource.getrlimit(number)[1] for number in RLIMIT_NUMBERS.values()}
    return {number: hard for number, hard in limits.items() if hard != resource.RLIM_INFINITY}


def _swap_is_accounted(root: str) -> bool:
    """On v2 only groups below the root have memory.swap.max: look at the first one."""
    try:
        with os.scandir(root) as entries:
            children = [entry.path for entry in entries if entry.is_dir()]
    except OSError:
        return False
    with_memory = [child for child in children if os.path.exists(f"{child}/memory.max")]
    return not with_memory or any(os.path.exists(f"{child}/memory.swap.max") for child in with_memory)


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
