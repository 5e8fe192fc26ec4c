"""Limits as cgroup v1 takes them: which file of which controller gets which text, in which order.

Source: Documentation/admin-guide/cgroup-v1/; runtime-spec config-linux.md, "Control groups".
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from windlass.cgroups import control
from windlass.cgroups.devices import reduce_rules, v1_commands
from windlass.cgroups.model import CgroupError
from windlass.spec.resources import (
    LinuxBlockIo,
    LinuxCpu,
    LinuxMemory,
    LinuxResources,
    LinuxThrottleDevice,
)

# Controller, file, text.
Setting = tuple[str, str, str]

_KIB_64 = 65536


def settings(resources: LinuxResources) -> Iterator[Setting]:
    """List what `resources` says, except memory and devices (see `write_memory`, `device_settings`)."""
    if resources.pids is not None:
        limit = resources.pids.limit
        yield "pids", "pids.max", str(limit) if limit > 0 else "max"
    if resources.cpu is not None:
        yield from _cpu(resources.cpu)
    if resources.block_io is not None:
        yield from _block_io(resources.block_io)
    for page in resources.hugepage_limits:
        yield "hugetlb", f"hugetlb.{page.page_size}.limit_in_bytes", str(page.limit)
    if resources.network is not None:
        if resources.network.class_id:
            yield "net_cls", "net_cls.classid", str(resources.network.class_id)
        for priority in resources.network.priorities:
            yield "net_prio", "net_prio.ifpriomap", f"{priority.name} {priority.priority}"


def device_settings(resources: LinuxResources) -> Iterator[Setting]:
    """List the device rules of a fresh group; without any rule, nothing is restricted."""
    if resources.devices:
        for file, text in v1_commands(reduce_rules(resources.devices)):
            yield "devices", file, text


def _cpu(cpu: LinuxCpu) -> Iterator[Setting]:
    if cpu.cpus:
        yield "cpuset", "cpuset.cpus", cpu.cpus
    if cpu.mems:
        yield "cpuset", "cpuset.mems", cpu.mems
    if cpu.shares:
        yield "cpu", "cpu.shares", str(cpu.shares)
    # The burst must never exceed the quota: first away with the old one.
    if cpu.burst == 0:
        yield "cpu", "cpu.cfs_burst_us", "0"
    if cpu.period:
        yield "cpu", "cpu.cfs_period_us", str(cpu.period)
    if cpu.quota:
        yield "cpu", "cpu.cfs_quota_us", str(cpu.quota)
    if cpu.burst:
        yield "cpu", "cpu.cfs_burst_us", str(cpu.burst)
    if cpu.realtime_period:
        yield "cpu", "cpu.rt_period_us", str(cpu.realtime_period)
    if cpu.realtime_runtime:
        yield "cpu", "cpu.rt_runtime_us", str(cpu.realtime_runtime)
    if cpu.idle is not None:
        yield "cpu", "cpu.idle", str(cpu.idle)


def _block_io(block_io: LinuxBlockIo) -> Iterator[Setting]:
    if block_io.weight:
        yield "blkio", "blkio.bfq.weight", str(block_io.weight)
    for device in block_io.weight_device:
        if device.weight:
            yield "blkio", "blkio.bfq.weight_device", f"{device.major}:{device.minor} {device.weight}"
    yield from _throttle("read_bps", block_io.throttle_read_bps_device)
    yield from _throttle("write_bps", block_io.throttle_write_bps_device)
    yield from _throttle("read_iops", block_io.throttle_read_iops_device)
    yield from _throttle("write_iops", block_io.throttle_write_iops_device)


def _throttle(kind: str, devices: list[LinuxThrottleDevice]) -> Iterator[Setting]:
    for device in devices:
        yield "blkio", f"blkio.throttle.{kind}_device", f"{device.major}:{device.minor} {device.rate}"


def write_memory(directory: str, memory: LinuxMemory) -> None:
    """Write the memory limits of the group at `directory`.

    The kernel holds memory <= memory+swap at every moment, so the order depends on which way they move.

    Raises:
        CgroupError: refused, for one because more is in use than the new limit.
    """
    limit_file = os.path.join(directory, "memory.limit_in_bytes")
    swap_file = os.path.join(directory, "memory.memsw.limit_in_bytes")
    limit, swap = memory.limit, memory.swap
    # An unlimited memory makes the sum unlimited as well, unless it was said otherwise.
    if limit == -1 and not swap and os.path.exists(swap_file):
        swap = -1
    writes: list[tuple[str, int]] = []
    if limit:
        writes.append((limit_file, limit))
    if swap and (swap > 0 or os.path.exists(swap_file)):
        writes.append((swap_file, swap))
    if len(writes) == 2 and _is_raise(swap_file, writes[1][1]):
        writes.reverse()
    for path, value in writes:
        _write_limit(path, value)
    if memory.reservation:
        control.write(os.path.join(directory, "memory.soft_limit_in_bytes"), str(memory.reservation))
    if memory.kernel_tcp:
        control.write(os.path.join(directory, "memory.kmem.tcp.limit_in_bytes"), str(memory.kernel_tcp))
    if memory.disable_oom_killer:
        control.write(os.path.join(directory, "memory.oom_control"), "1")
    if memory.swappiness is not None:
        control.write(os.path.join(directory, "memory.swappiness"), str(memory.swappiness))


def _is_raise(swap_file: str, swap: int) -> bool:
    return swap == -1 or control.read_int(swap_file) < swap


def _write_limit(path: str, value: int) -> None:
    try:
        control.write(path, str(value))
    except CgroupError as error:
        usage_file = path.replace("limit_in_bytes", "usage_in_bytes")
        usage, peak = control.read_int(usage_file), control.read_int(path.replace("limit", "max_usage"))
        if 0 < value < usage + _KIB_64:
            raise CgroupError(
                f"unable to set memory limit to {value} (current usage: {usage}, peak usage: {peak})"
            ) from error
        raise
