"""From the Engine API's limits to the OCI's.

Source: Docker Engine API, Resources; runtime-spec config-linux.md, "Control groups".
"""

from __future__ import annotations

from collections.abc import Iterable

from windlass.base.errors import InvalidParameter
from windlass.runtime.intent import ContainerIntent
from windlass.spec.container import HostConfig, ThrottleDevice
from windlass.spec.resources import (
    LinuxBlockIo,
    LinuxCpu,
    LinuxDeviceCgroup,
    LinuxMemory,
    LinuxPids,
    LinuxResources,
    LinuxThrottleDevice,
    LinuxWeightDevice,
)

_CFS_PERIOD_US = 100_000
_NANO = 1_000_000_000

BlockDevices = dict[str, tuple[int, int]]


def lower_resources(intent: ContainerIntent, devices: list[LinuxDeviceCgroup]) -> LinuxResources:
    """Return a container's limits with its device rules."""
    return limits(intent.host_config, intent.block_devices, devices)


def limits(
    host: HostConfig, block_devices: BlockDevices | None = None, devices: list[LinuxDeviceCgroup] | None = None
) -> LinuxResources:
    """Return the limits that `host` says; also for `docker update`.

    Raises:
        InvalidParameter: negative CPU shares.
    """
    return LinuxResources(
        devices=devices or [],
        memory=_memory(host),
        cpu=_cpu(host),
        pids=_pids(host.pids_limit),
        block_io=_block_io(host, block_devices or {}),
    )


def _memory(host: HostConfig) -> LinuxMemory | None:
    memory = LinuxMemory(
        limit=host.memory if host.memory > 0 else None,
        reservation=host.memory_reservation if host.memory_reservation > 0 else None,
        swap=host.memory_swap if host.memory_swap > 0 or (host.memory_swap == -1 and host.memory > 0) else None,
        swappiness=host.memory_swappiness,
        disable_oom_killer=host.oom_kill_disable or None,
        kernel_tcp=host.kernel_memory_tcp or None,
    )
    return memory if memory != LinuxMemory() else None


def _cpu(host: HostConfig) -> LinuxCpu | None:
    if host.cpu_shares < 0:
        raise InvalidParameter("shares: invalid argument")
    period, quota = host.cpu_period or None, host.cpu_quota or None
    if host.nano_cpus > 0:
        period, quota = _CFS_PERIOD_US, host.nano_cpus * _CFS_PERIOD_US // _NANO
    cpu = LinuxCpu(
        shares=host.cpu_shares or None,
        quota=quota,
        period=period,
        realtime_runtime=host.cpu_realtime_runtime or None,
        realtime_period=host.cpu_realtime_period or None,
        cpus=host.cpuset_cpus,
        mems=host.cpuset_mems,
    )
    return cpu if cpu != LinuxCpu() else None


def _pids(limit: int | None) -> LinuxPids | None:
    """0 and negative numbers mean unlimited, as the absence of a number does for a new container."""
    if limit is None:
        return None
    return LinuxPids(limit if limit > 0 else -1)


def _block_io(host: HostConfig, numbers: BlockDevices) -> LinuxBlockIo | None:
    block_io = LinuxBlockIo(
        weight=host.blkio_weight or None,
        weight_device=[
            LinuxWeightDevice(*numbers[entry.path], weight=entry.weight) for entry in host.blkio_weight_device or ()
        ],
        throttle_read_bps_device=_throttles(host.blkio_device_read_bps, numbers),
        throttle_write_bps_device=_throttles(host.blkio_device_write_bps, numbers),
        throttle_read_iops_device=_throttles(host.blkio_device_read_iops, numbers),
        throttle_write_iops_device=_throttles(host.blkio_device_write_iops, numbers),
    )
    return block_io if block_io != LinuxBlockIo() else None


def _throttles(entries: Iterable[ThrottleDevice] | None, numbers: BlockDevices) -> list[LinuxThrottleDevice]:
    return [LinuxThrottleDevice(*numbers[entry.path], entry.rate) for entry in entries or ()]
