"""Figures of cgroup v2.

Source: Documentation/admin-guide/cgroup-v2.rst, "Interface Files".
"""

from __future__ import annotations

from windlass.cgroups import control
from windlass.cgroups.model import BlockEntry, CgroupStats, CpuStats, MemoryStats

_US = 1000


def read_stats(directory: str) -> CgroupStats:
    """Read all figures of the group at `directory`."""
    block_bytes, block_operations = _block(f"{directory}/io.stat")
    return CgroupStats(
        cpu=_cpu(directory),
        memory=_memory(directory),
        pids=control.read_int(f"{directory}/pids.current"),
        pids_limit=control.read_int(f"{directory}/pids.max"),
        block_bytes=block_bytes,
        block_operations=block_operations,
    )


def _cpu(directory: str) -> CpuStats:
    table = control.read_table(f"{directory}/cpu.stat")
    return CpuStats(
        usage_ns=table.get("usage_usec", 0) * _US,
        user_ns=table.get("user_usec", 0) * _US,
        system_ns=table.get("system_usec", 0) * _US,
        periods=table.get("nr_periods", 0),
        throttled_periods=table.get("nr_throttled", 0),
        throttled_ns=table.get("throttled_usec", 0) * _US,
    )


def _memory(directory: str) -> MemoryStats:
    events = control.read_table(f"{directory}/memory.events")
    return MemoryStats(
        usage=control.read_int(f"{directory}/memory.current"),
        max_usage=control.read_int(f"{directory}/memory.peak"),
        limit=control.read_int(f"{directory}/memory.max"),
        failures=events.get("max", 0),
        oom_kills=events.get("oom_kill", 0),
        stat=control.read_table(f"{directory}/memory.stat"),
    )


def _block(path: str) -> tuple[tuple[BlockEntry, ...], tuple[BlockEntry, ...]]:
    amounts: list[BlockEntry] = []
    counts: list[BlockEntry] = []
    for line in control.read(path).splitlines():
        device, *fields = line.split()
        major, _, minor = device.partition(":")
        for field in fields:
            key, _, value = field.partition("=")
            target = {"rbytes": amounts, "wbytes": amounts, "rios": counts, "wios": counts}.get(key)
            if target is not None:
                op = "read" if key.startswith("r") else "write"
                target.append(BlockEntry(int(major), int(minor), op, int(value)))
    return tuple(amounts), tuple(counts)
