"""Figures of cgroup v1.

Source: Documentation/admin-guide/cgroup-v1/{cpuacct,memory,pids,blkio-controller}.rst.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from windlass.cgroups import control
from windlass.cgroups.model import BlockEntry, CgroupStats, CpuStats, MemoryStats

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
# A page counter without a limit shows the largest multiple of the page size in a signed 64-bit number.
_NO_LIMIT = 1 << 62
_BLOCK_OPS = {"Read": "read", "Write": "write", "Sync": "sync", "Async": "async", "Discard": "discard"}


def read_stats(path: Callable[[str, str], str]) -> CgroupStats:
    """Read all figures; `path(controller, file)` names the files."""
    return CgroupStats(
        cpu=_cpu(path),
        memory=_memory(path),
        pids=control.read_int(path("pids", "pids.current")),
        pids_limit=control.read_int(path("pids", "pids.max")),
        block_bytes=_block(path("blkio", "blkio.throttle.io_service_bytes_recursive")),
        block_operations=_block(path("blkio", "blkio.throttle.io_serviced_recursive")),
    )


def _cpu(path: Callable[[str, str], str]) -> CpuStats:
    ticks = control.read_table(path("cpuacct", "cpuacct.stat"))
    throttling = control.read_table(path("cpu", "cpu.stat"))
    return CpuStats(
        usage_ns=control.read_int(path("cpuacct", "cpuacct.usage")),
        user_ns=ticks.get("user", 0) * _TICK_NS,
        system_ns=ticks.get("system", 0) * _TICK_NS,
        periods=throttling.get("nr_periods", 0),
        throttled_periods=throttling.get("nr_throttled", 0),
        throttled_ns=throttling.get("throttled_time", 0),
        per_cpu_ns=tuple(int(part) for part in control.read(path("cpuacct", "cpuacct.usage_percpu")).split()),
    )


def _memory(path: Callable[[str, str], str]) -> MemoryStats:
    limit = control.read_int(path("memory", "memory.limit_in_bytes"))
    return MemoryStats(
        usage=control.read_int(path("memory", "memory.usage_in_bytes")),
        max_usage=control.read_int(path("memory", "memory.max_usage_in_bytes")),
        limit=0 if limit >= _NO_LIMIT else limit,
        failures=control.read_int(path("memory", "memory.failcnt")),
        oom_kills=control.read_table(path("memory", "memory.oom_control")).get("oom_kill", 0),
        stat=control.read_table(path("memory", "memory.stat")),
    )


def _block(path: str) -> tuple[BlockEntry, ...]:
    entries = []
    for line in control.read(path).splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] in _BLOCK_OPS:
            major, _, minor = fields[0].partition(":")
            entries.append(BlockEntry(int(major), int(minor), _BLOCK_OPS[fields[1]], int(fields[2])))
    return tuple(entries)
