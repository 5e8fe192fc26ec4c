"""Limits as cgroup v1 takes them: which file of which controller gets which text, in which order.

Source: Documentation/admin-guide/cgroup-v1/; runtime-spec config-linux.md, "Control groups".
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.cgroups import control
from windlass.cgroups.model import CgroupError
from windlass.cgroups.settings import Setting, one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.spec.resources import (
        LinuxBlockIo,
        LinuxCpu,
        LinuxMemory,
        LinuxNetworkResources,
        LinuxRdma,
        LinuxResources,
        LinuxThrottleDevice,
    )

_KIB_64 = 65536


def settings(resources: LinuxResources, *, fresh: bool = True) -> Iterator[Setting]:
    """List what `resources` says, except devices; a `fresh` group is not told what it is anyway.

    Raises:
        InvalidParameter: raw values of cgroup v2.
    """
    if resources.unified:
        raise InvalidParameter("invalid configuration: cannot use unified on cgroup v1")
    if resources.pids is not None:
        limit = resources.pids.limit
        yield one("pids", "/pids/limit", "pids.max", limit if limit > 0 else "max", optional=limit <= 0)
    if resources.memory is not None:
        yield from _memory(resources.memory, fresh=fresh)
    if resources.cpu is not None:
        yield from _cpu(resources.cpu)
    if resources.block_io is not None:
        yield from _block_io(resources.block_io)
    for number, page in enumerate(resources.hugepage_limits):
        field, prefix = f"/hugepageLimits/{number}", f"hugetlb.{page.page_size}"
        yield one("hugetlb", field, f"{prefix}.limit_in_bytes", page.limit)
        yield one("hugetlb", field, f"{prefix}.rsvd.limit_in_bytes", page.limit, optional=True)
    if resources.network is not None:
        yield from _network(resources.network)
    for device, limits in resources.rdma.items():
        yield one("rdma", f"/rdma/{device}", "rdma.max", rdma_line(device, limits))


def rdma_line(device: str, limits: LinuxRdma) -> str:
    """Write the limits of one RDMA device; what is not said stays."""
    words = [device]
    if limits.hca_handles is not None:
        words.append(f"hca_handle={limits.hca_handles}")
    if limits.hca_objects is not None:
        words.append(f"hca_object={limits.hca_objects}")
    return " ".join(words)


def _memory(memory: LinuxMemory, *, fresh: bool) -> Iterator[Setting]:
    """The kernel holds memory <= memory+swap at every moment, so these two are a batch."""
    swap, batch = memory.swap, "memory"
    if memory.use_hierarchy is not None:
        text = str(int(memory.use_hierarchy))
        yield one("memory", "/memory/useHierarchy", "memory.use_hierarchy", text, optional=memory.use_hierarchy)
    if memory.limit:
        yield one("memory", "/memory/limit", "memory.limit_in_bytes", memory.limit, batch=batch)
        # An unlimited memory makes the sum unlimited as well, unless it was said otherwise.
        swap = swap or (-1 if memory.limit == -1 else None)
    if swap:
        yield one("memory", "/memory/swap", "memory.memsw.limit_in_bytes", swap, optional=swap < 0, batch=batch)
    if memory.reservation:
        yield one("memory", "/memory/reservation", "memory.soft_limit_in_bytes", memory.reservation)
    if memory.kernel:
        choice = ("memory.kmem.limit_in_bytes", str(memory.kernel))
        yield Setting(
            "memory", "/memory/kernel", (choice,), optional=memory.kernel < 0, may_be_ignored=memory.kernel > 0
        )
    if memory.kernel_tcp:
        yield one("memory", "/memory/kernelTCP", "memory.kmem.tcp.limit_in_bytes", memory.kernel_tcp)
    if memory.disable_oom_killer or (memory.disable_oom_killer is False and not fresh):
        text = str(int(memory.disable_oom_killer))
        optional = not memory.disable_oom_killer
        yield one("memory", "/memory/disableOOMKiller", "memory.oom_control", text, optional=optional)
    if memory.swappiness is not None:
        yield one("memory", "/memory/swappiness", "memory.swappiness", memory.swappiness)


def _cpu(cpu: LinuxCpu) -> Iterator[Setting]:
    if cpu.cpus:
        yield one("cpuset", "/cpu/cpus", "cpuset.cpus", cpu.cpus)
    if cpu.mems:
        yield one("cpuset", "/cpu/mems", "cpuset.mems", cpu.mems)
    # An idle group has no shares: leave that state before they are set, enter it after.
    if cpu.idle == 0:
        yield one("cpu", "/cpu/idle", "cpu.idle", 0, optional=True)
    if cpu.shares:
        yield one("cpu", "/cpu/shares", "cpu.shares", cpu.shares)
    if cpu.idle:
        yield one("cpu", "/cpu/idle", "cpu.idle", cpu.idle)
    if cpu.period:
        yield one("cpu", "/cpu/period", "cpu.cfs_period_us", cpu.period, batch="cfs")
    if cpu.quota:
        yield one("cpu", "/cpu/quota", "cpu.cfs_quota_us", cpu.quota, batch="cfs")
    if cpu.burst is not None:
        yield one("cpu", "/cpu/burst", "cpu.cfs_burst_us", cpu.burst, optional=cpu.burst == 0, batch="cfs")
    if cpu.realtime_period:
        yield one("cpu", "/cpu/realtimePeriod", "cpu.rt_period_us", cpu.realtime_period, batch="rt")
    if cpu.realtime_runtime:
        yield one("cpu", "/cpu/realtimeRuntime", "cpu.rt_runtime_us", cpu.realtime_runtime, batch="rt")


def _block_io(block_io: LinuxBlockIo) -> Iterator[Setting]:
    if block_io.weight:
        yield _weight("/blockIO/weight", "weight", str(block_io.weight))
    if block_io.leaf_weight:
        yield _weight("/blockIO/leafWeight", "leaf_weight", str(block_io.leaf_weight))
    for number, device in enumerate(block_io.weight_device):
        key, field = f"{device.major}:{device.minor}", f"/blockIO/weightDevice/{number}"
        if device.weight:
            yield _weight(f"{field}/weight", "weight_device", f"{key} {device.weight}")
        if device.leaf_weight:
            yield _weight(f"{field}/leafWeight", "leaf_weight_device", f"{key} {device.leaf_weight}")
    yield from _throttle("ReadBps", "read_bps", block_io.throttle_read_bps_device)
    yield from _throttle("WriteBps", "write_bps", block_io.throttle_write_bps_device)
    yield from _throttle("ReadIOPS", "read_iops", block_io.throttle_read_iops_device)
    yield from _throttle("WriteIOPS", "write_iops", block_io.throttle_write_iops_device)


def _weight(field: str, file: str, text: str) -> Setting:
    """BFQ has its files under a name of its own; before it they had no prefix."""
    return Setting("blkio", field, ((f"blkio.bfq.{file}", text), (f"blkio.{file}", text)))


def _throttle(word: str, kind: str, devices: list[LinuxThrottleDevice]) -> Iterator[Setting]:
    for number, device in enumerate(devices):
        text = f"{device.major}:{device.minor} {device.rate}"
        yield one("blkio", f"/blockIO/throttle{word}Device/{number}", f"blkio.throttle.{kind}_device", text)


def _network(network: LinuxNetworkResources) -> Iterator[Setting]:
    if network.class_id is not None:
        text = str(network.class_id)
        yield one("net_cls", "/network/classID", "net_cls.classid", text, optional=not network.class_id)
    for number, entry in enumerate(network.priorities):
        text = f"{entry.name} {entry.priority}"
        yield one("net_prio", f"/network/priorities/{number}", "net_prio.ifpriomap", text)


def explain(error: CgroupError) -> CgroupError:
    """Say how much is in use when a memory limit was refused, in runc's words."""
    if not error.path.endswith("limit_in_bytes") or not error.value.isdecimal():
        return error
    usage = control.read_int(error.path.replace("limit_in_bytes", "usage_in_bytes"))
    peak = control.read_int(error.path.replace("limit_in_bytes", "max_usage_in_bytes"))
    if int(error.value) >= usage + _KIB_64:
        return error
    text = f"unable to set memory limit to {error.value} (current usage: {usage}, peak usage: {peak}): {error}"
    return CgroupError(text, error.path, error.value, error.errno)
