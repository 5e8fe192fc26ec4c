"""Limits as properties of systemd's units.

systemd writes what it knows of a unit again whenever it reloads, so it must know the limits; what it has no property
for is written to the files only.

Source: systemd.resource-control(5), org.freedesktop.systemd1(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.cgroups import convert
from windlass.cgroups.devices import WILDCARD, DeviceKey, reduce_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from windlass.cgroups.systemd_bus import Property
    from windlass.spec.resources import LinuxBlockIo, LinuxCpu, LinuxDeviceCgroup, LinuxMemory, LinuxResources

_INFINITY = (1 << 64) - 1
_SECOND_US = 1_000_000
# systemd keeps quotas as whole percents of a CPU.
_PERCENT_US = 10_000
_HAS_QUOTA_PERIOD, _HAS_CPUSET, _HAS_IDLE = 242, 244, 252
_MAX_LISTED = 1 << 13

_UNIFIED_SIZES = {
    "memory.high": "MemoryHigh",
    "memory.low": "MemoryLow",
    "memory.max": "MemoryMax",
    "memory.min": "MemoryMin",
    "memory.swap.max": "MemorySwapMax",
    "pids.max": "TasksMax",
}


def properties(resources: LinuxResources, *, v2: bool, version: int) -> list[Property]:
    """List what systemd of major `version` can be told; device rules too, if there are any."""
    found: list[Property] = []
    if resources.pids is not None:
        limit = resources.pids.limit
        found.append(("TasksMax", ("t", limit if limit > 0 else _INFINITY)))
    if resources.memory is not None:
        found += _memory(resources.memory, v2=v2)
    if resources.cpu is not None:
        found += _cpu(resources.cpu, v2=v2, version=version)
    if resources.block_io is not None:
        found += _io(resources.block_io) if v2 else _block_io(resources.block_io)
    if v2:
        found += _unified(resources.unified, version)
    if resources.devices:
        found += device_properties(resources.devices)
    return found


def _size(value: int) -> int:
    return value if value >= 0 else _INFINITY


def _memory(memory: LinuxMemory, *, v2: bool) -> Iterator[Property]:
    if memory.limit:
        yield "MemoryMax" if v2 else "MemoryLimit", ("t", _size(memory.limit))
    if not v2:
        return
    if memory.reservation:
        yield "MemoryLow", ("t", _size(memory.reservation))
    # Without a memory limit there is no difference to compute: the driver of the files has checked that already.
    if memory.swap == -1 or (memory.limit == -1 and not memory.swap):
        yield "MemorySwapMax", ("t", _INFINITY)
    elif memory.swap and memory.limit and memory.limit > 0:
        yield "MemorySwapMax", ("t", memory.swap - memory.limit)


def _cpu(cpu: LinuxCpu, *, v2: bool, version: int) -> Iterator[Property]:
    if v2 and cpu.idle == 1 and version >= _HAS_IDLE:
        yield "CPUWeight", ("t", 0)
    elif cpu.shares:
        yield ("CPUWeight", ("t", convert.cpu_weight(cpu.shares))) if v2 else ("CPUShares", ("t", cpu.shares))
    if cpu.period and version >= _HAS_QUOTA_PERIOD:
        yield "CPUQuotaPeriodUSec", ("t", cpu.period)
    if cpu.quota:
        yield "CPUQuotaPerSecUSec", ("t", quota_per_second(cpu.quota, cpu.period or convert.CPU_PERIOD_US))
    if v2 and version >= _HAS_CPUSET:
        if cpu.cpus:
            yield "AllowedCPUs", ("ay", bit_mask(cpu.cpus))
        if cpu.mems:
            yield "AllowedMemoryNodes", ("ay", bit_mask(cpu.mems))


def quota_per_second(quota_us: int, period_us: int) -> int:
    """Return CPU time in microseconds per second, rounded up to what systemd can keep; the files get the exact one."""
    if quota_us < 0:
        return _INFINITY
    per_second = quota_us * _SECOND_US // period_us
    return -(-per_second // _PERCENT_US) * _PERCENT_US


def bit_mask(text: str) -> bytes:
    """Turn a list such as `0-3,6` into bits, the lowest first: bytes 0b1001111.

    A number beyond what any kernel counts to is left to the kernel to refuse.
    """
    mask = 0
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        low, high = int(first or 0), int(last or first or 0)
        if part and low <= high < _MAX_LISTED:
            mask |= ((1 << (high - low + 1)) - 1) << low
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little")


def _io(block_io: LinuxBlockIo) -> Iterator[Property]:
    if block_io.weight:
        yield "IOWeight", ("t", convert.io_weight(block_io.weight))
    weights = [(_node(d.major, d.minor), convert.io_weight(d.weight)) for d in block_io.weight_device if d.weight]
    if weights:
        yield "IODeviceWeight", ("a(st)", weights)
    for name, throttles in (
        ("IOReadBandwidthMax", block_io.throttle_read_bps_device),
        ("IOWriteBandwidthMax", block_io.throttle_write_bps_device),
        ("IOReadIOPSMax", block_io.throttle_read_iops_device),
        ("IOWriteIOPSMax", block_io.throttle_write_iops_device),
    ):
        if throttles:
            yield name, ("a(st)", [(_node(d.major, d.minor), d.rate or _INFINITY) for d in throttles])


def _block_io(block_io: LinuxBlockIo) -> Iterator[Property]:
    if block_io.weight:
        yield "BlockIOWeight", ("t", block_io.weight)


def _node(major: int, minor: int) -> str:
    return f"/dev/block/{major}:{minor}"


def _unified(unified: dict[str, str], version: int) -> Iterator[Property]:
    """The raw values that systemd would write over."""
    for key, text in unified.items():
        value = text.strip()
        if key in _UNIFIED_SIZES and (value == "max" or value.isdecimal()):
            yield _UNIFIED_SIZES[key], ("t", _INFINITY if value == "max" else int(value))
        elif key == "cpu.weight" and value.isdecimal():
            yield "CPUWeight", ("t", int(value))
        elif key == "cpu.max":
            yield from _unified_quota(value, version)
        elif key in ("cpuset.cpus", "cpuset.mems") and version >= _HAS_CPUSET:
            yield "AllowedCPUs" if key == "cpuset.cpus" else "AllowedMemoryNodes", ("ay", bit_mask(value))


def _unified_quota(value: str, version: int) -> Iterator[Property]:
    quota, _, period = value.partition(" ")
    period_us = int(period) if period.isdecimal() and int(period) else convert.CPU_PERIOD_US
    if version >= _HAS_QUOTA_PERIOD:
        yield "CPUQuotaPeriodUSec", ("t", period_us)
    if quota == "max" or quota.isdecimal():
        yield "CPUQuotaPerSecUSec", ("t", quota_per_second(-1 if quota == "max" else int(quota), period_us))


def device_properties(rules: Sequence[LinuxDeviceCgroup]) -> list[Property]:
    """Say the device rules; what systemd cannot express is left to our own filter, which is there in any case."""
    reduced = reduce_rules(rules)
    entries = [] if reduced.default_allow else [_entry(key, access) for key, access in reduced.exceptions]
    if reduced.default_allow or None in entries:
        return [("DevicePolicy", ("s", "auto")), ("DeviceAllow", ("a(ss)", []))]
    known: list[Any] = [entry for entry in entries if entry and entry[0]]
    # The empty list takes earlier entries away, as lists of systemd's settings add up.
    return [("DevicePolicy", ("s", "strict")), ("DeviceAllow", ("a(ss)", [])), ("DeviceAllow", ("a(ss)", known))]


def _entry(key: DeviceKey, access: str) -> tuple[str, str] | None:
    """Write one rule as DeviceAllow= takes it; None if it cannot be said, without a name for devices of no driver."""
    kind, major, minor = key
    word = "char" if kind == "c" else "block"
    if minor != WILDCARD:
        return None if major == WILDCARD else (f"/dev/{word}/{major}:{minor}", access)
    if major == WILDCARD:
        return f"{word}-*", access
    name = _driver_name(word, major)
    return (f"{word}-{name}" if name else "", access)


def _driver_name(word: str, major: int) -> str:
    """Look a major number up in /proc/devices, which has character devices first."""
    with open("/proc/devices", encoding="ascii", errors="replace") as file:
        characters, _, blocks = file.read().partition("Block devices:")
    for line in (characters if word == "char" else blocks).splitlines():
        number, _, name = line.strip().partition(" ")
        if number == str(major):
            return name.strip()
    return ""
