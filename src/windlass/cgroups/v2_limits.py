"""Limits as cgroup v2 takes them.

Source: Documentation/admin-guide/cgroup-v2.rst; runtime-spec config-linux.md, "Unified".
"""

from __future__ import annotations

from collections.abc import Iterator

from windlass.base.errors import InvalidParameter
from windlass.cgroups import convert
from windlass.spec.resources import LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxResources, LinuxThrottleDevice

# Controller, file, text.
Setting = tuple[str, str, str]


def settings(resources: LinuxResources) -> Iterator[Setting]:
    """List what `resources` says, except devices; raw `unified` values come last, as they win.

    Raises:
        InvalidParameter: swap that contradicts the memory limit, or a unified key that is a path.
    """
    if resources.pids is not None:
        limit = resources.pids.limit
        yield "pids", "pids.max", str(limit) if limit > 0 else "max"
    if resources.memory is not None:
        yield from _memory(resources.memory)
    if resources.cpu is not None:
        yield from _cpu(resources.cpu)
    if resources.block_io is not None:
        yield from _block_io(resources.block_io)
    for page in resources.hugepage_limits:
        yield "hugetlb", f"hugetlb.{page.page_size}.max", str(page.limit)
    for key, text in resources.unified.items():
        if "/" in key:
            raise InvalidParameter(f'unified resource "{key}" must be a file name (no slashes)')
        if "." not in key:
            raise InvalidParameter(f'unified resource "{key}" must be in the form CONTROLLER.PARAMETER')
        yield key.partition(".")[0], key, text


def _memory(memory: LinuxMemory) -> Iterator[Setting]:
    try:
        swap = convert.swap_max(memory.swap or 0, memory.limit)
    except ValueError as error:
        raise InvalidParameter(str(error)) from error
    if swap:
        yield "memory", "memory.swap.max", swap
    if memory.limit:
        yield "memory", "memory.max", convert.number_or_max(memory.limit)
    if memory.reservation:
        yield "memory", "memory.low", convert.number_or_max(memory.reservation)


def _cpu(cpu: LinuxCpu) -> Iterator[Setting]:
    if cpu.cpus:
        yield "cpuset", "cpuset.cpus", cpu.cpus
    if cpu.mems:
        yield "cpuset", "cpuset.mems", cpu.mems
    if cpu.idle is not None:
        yield "cpu", "cpu.idle", str(cpu.idle)
    if cpu.shares and (weight := convert.cpu_weight(cpu.shares)):
        yield "cpu", "cpu.weight", str(weight)
    if cpu.burst == 0:
        yield "cpu", "cpu.max.burst", "0"
    if text := convert.cpu_max(cpu.quota, cpu.period):
        yield "cpu", "cpu.max", text
    if cpu.burst:
        yield "cpu", "cpu.max.burst", str(cpu.burst)


def _block_io(block_io: LinuxBlockIo) -> Iterator[Setting]:
    if block_io.weight:
        yield "io", "io.bfq.weight", str(block_io.weight)
        yield "io", "io.weight", f"default {convert.io_weight(block_io.weight)}"
    for device in block_io.weight_device:
        if device.weight:
            yield "io", "io.bfq.weight", f"{device.major}:{device.minor} {device.weight}"
    yield from _throttle("rbps", block_io.throttle_read_bps_device)
    yield from _throttle("wbps", block_io.throttle_write_bps_device)
    yield from _throttle("riops", block_io.throttle_read_iops_device)
    yield from _throttle("wiops", block_io.throttle_write_iops_device)


def _throttle(key: str, devices: list[LinuxThrottleDevice]) -> Iterator[Setting]:
    for device in devices:
        yield "io", "io.max", f"{device.major}:{device.minor} {key}={device.rate}"
