"""Limits as cgroup v2 takes them.

Source: Documentation/admin-guide/cgroup-v2.rst; runtime-spec config-linux.md, "Unified".
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.cgroups import control, convert
from windlass.cgroups.model import CgroupError
from windlass.cgroups.settings import Setting, impossible, one
from windlass.cgroups.v1_limits import rdma_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.spec.resources import (
        LinuxBlockIo,
        LinuxCpu,
        LinuxMemory,
        LinuxNetworkResources,
        LinuxResources,
        LinuxThrottleDevice,
    )

# The files of the core that are limits; the others say who is in a group and in which state it is.
_CORE_LIMITS = ("cgroup.max.depth", "cgroup.max.descendants", "cgroup.pressure")


def settings(resources: LinuxResources, directory: str = "") -> Iterator[Setting]:
    """List what `resources` says, except devices; raw `unified` values come last, as they win.

    `directory` is that of a group in use, whose values complete those that are only half said.

    Raises:
        InvalidParameter: swap that contradicts the memory limit, or a unified key that is no limit.
    """
    if resources.pids is not None:
        limit = resources.pids.limit
        yield one("pids", "/pids/limit", "pids.max", limit if limit > 0 else "max", optional=limit <= 0)
    if resources.memory is not None:
        yield from _memory(resources.memory, directory)
    if resources.cpu is not None:
        yield from _cpu(resources.cpu, directory)
    if resources.block_io is not None:
        yield from _block_io(resources.block_io)
    for number, page in enumerate(resources.hugepage_limits):
        field, prefix = f"/hugepageLimits/{number}", f"hugetlb.{page.page_size}"
        yield one("hugetlb", field, f"{prefix}.max", page.limit)
        yield one("hugetlb", field, f"{prefix}.rsvd.max", page.limit, optional=True)
    if resources.network is not None:
        yield from _network(resources.network)
    for device, limits in resources.rdma.items():
        yield one("rdma", f"/rdma/{device}", "rdma.max", rdma_line(device, limits))
    for key, text in resources.unified.items():
        yield from _unified(key, text)


def _memory(memory: LinuxMemory, directory: str) -> Iterator[Setting]:
    limit = memory.limit
    if memory.swap and memory.swap > 0 and not limit and directory:
        limit = control.read_int(f"{directory}/memory.max")
    try:
        swap = convert.swap_max(memory.swap or 0, limit)
    except ValueError as error:
        raise InvalidParameter(str(error)) from error
    if swap:
        # Swap accounting can be off by boot parameter: then there is nothing to unlimit.
        yield one("memory", "/memory/swap", "memory.swap.max", swap, optional=swap == "max")
    if memory.limit:
        yield one("memory", "/memory/limit", "memory.max", convert.number_or_max(memory.limit))
    if memory.reservation:
        yield one("memory", "/memory/reservation", "memory.low", convert.number_or_max(memory.reservation))
    if memory.kernel and memory.kernel > 0:
        yield impossible("memory", "/memory/kernel")
    if memory.kernel_tcp and memory.kernel_tcp > 0:
        yield impossible("memory", "/memory/kernelTCP")
    if memory.swappiness is not None:
        yield impossible("memory", "/memory/swappiness")
    if memory.disable_oom_killer:
        yield impossible("memory", "/memory/disableOOMKiller")
    if memory.use_hierarchy is False:
        yield impossible("memory", "/memory/useHierarchy")


def _cpu(cpu: LinuxCpu, directory: str) -> Iterator[Setting]:
    if cpu.cpus:
        yield one("cpuset", "/cpu/cpus", "cpuset.cpus", cpu.cpus)
    if cpu.mems:
        yield one("cpuset", "/cpu/mems", "cpuset.mems", cpu.mems)
    # An idle group has no weight: leave that state before it is set, enter it after.
    if cpu.idle == 0:
        yield one("cpu", "/cpu/idle", "cpu.idle", 0, optional=True)
    if cpu.shares:
        yield one("cpu", "/cpu/shares", "cpu.weight", convert.cpu_weight(cpu.shares))
    if cpu.idle:
        yield one("cpu", "/cpu/idle", "cpu.idle", cpu.idle)
    present = control.read(f"{directory}/cpu.max") if directory else ""
    if text := convert.cpu_max(cpu.quota, cpu.period, present):
        yield one("cpu", "/cpu/quota" if cpu.quota else "/cpu/period", "cpu.max", text, batch="cfs")
    if cpu.burst is not None:
        yield one("cpu", "/cpu/burst", "cpu.max.burst", cpu.burst, optional=cpu.burst == 0, batch="cfs")
    if cpu.realtime_period:
        yield impossible("cpu", "/cpu/realtimePeriod")
    if cpu.realtime_runtime:
        yield impossible("cpu", "/cpu/realtimeRuntime")


def _block_io(block_io: LinuxBlockIo) -> Iterator[Setting]:
    if block_io.weight:
        yield _weight("/blockIO/weight", "default ", block_io.weight)
    if block_io.leaf_weight:
        yield impossible("io", "/blockIO/leafWeight")
    for number, device in enumerate(block_io.weight_device):
        field = f"/blockIO/weightDevice/{number}"
        if device.weight:
            yield _weight(f"{field}/weight", f"{device.major}:{device.minor} ", device.weight)
        if device.leaf_weight:
            yield impossible("io", f"{field}/leafWeight")
    yield from _throttle("ReadBps", "rbps", block_io.throttle_read_bps_device)
    yield from _throttle("WriteBps", "wbps", block_io.throttle_write_bps_device)
    yield from _throttle("ReadIOPS", "riops", block_io.throttle_read_iops_device)
    yield from _throttle("WriteIOPS", "wiops", block_io.throttle_write_iops_device)


def _weight(field: str, prefix: str, weight: int) -> Setting:
    """BFQ and io.cost have a file each; whichever is there takes the weight."""
    choices = (("io.bfq.weight", f"{prefix}{weight}"), ("io.weight", f"{prefix}{convert.io_weight(weight)}"))
    return Setting("io", field, choices)


def _throttle(word: str, key: str, devices: list[LinuxThrottleDevice]) -> Iterator[Setting]:
    for number, device in enumerate(devices):
        text = f"{device.major}:{device.minor} {key}={convert.throttle_rate(device.rate)}"
        yield one("io", f"/blockIO/throttle{word}Device/{number}", "io.max", text)


def _network(network: LinuxNetworkResources) -> Iterator[Setting]:
    if network.class_id:
        yield impossible("net_cls", "/network/classID")
    for number, _ in enumerate(network.priorities):
        yield impossible("net_prio", f"/network/priorities/{number}")


def _unified(key: str, text: str) -> Iterator[Setting]:
    """Check one raw key and list its lines: the kernel takes a line at a time."""
    if "/" in key:
        raise InvalidParameter(f'unified resource "{key}" must be a file name (no slashes)')
    controller, dot, parameter = key.partition(".")
    if not controller or not dot or not parameter or "\0" in key + text:
        raise InvalidParameter(f'unified resource "{key}" must be in the form CONTROLLER.PARAMETER')
    if controller == "cgroup" and key not in _CORE_LIMITS:
        raise InvalidParameter(f'unified resource "{key}" is not a limit')
    for line in text.rstrip("\n").split("\n"):
        yield one(controller, f"/unified/{key}", key, line)


def check_usage(memory: LinuxMemory, directory: str) -> None:
    """Refuse limits below what is in use, where `checkBeforeUpdate` asks for it: v2 kills instead, v1 refuses itself.

    Raises:
        CgroupError: in runc's words.
    """
    if not memory.check_before_update:
        return
    usage = control.read_int(f"{directory}/memory.current")
    for word, limit in (("memory+swap", memory.swap or 0), ("memory", memory.limit or 0)):
        if 0 < limit <= usage:
            raise CgroupError(f"rejecting {word} limit {limit} <= usage {usage}", f"{directory}/memory.max", str(limit))
