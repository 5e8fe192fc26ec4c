"""Figures of cgroup v2.

Source: Documentation/admin-guide/cgroup-v2.rst, "Interface Files".
"""

from __future__ import annotations

from windlass.cgroups import control, stat_files
from windlass.cgroups.figures import BlockEntry, BlockStats, CgroupStats, Counter, CpusetStats, CpuStats, MemoryStats

_US = 1000
_BLOCK_KEYS = {
    "rbytes": ("bytes", "read"),
    "wbytes": ("bytes", "write"),
    "dbytes": ("bytes", "discard"),
    "rios": ("operations", "read"),
    "wios": ("operations", "write"),
    "dios": ("operations", "discard"),
}


def read_stats(directory: str, *, everything: bool = False) -> CgroupStats:
    """Read the figures of the group at `directory`."""
    basic = CgroupStats(
        cpu=_cpu(directory, everything=everything),
        memory=_memory(directory, everything=everything),
        pids=control.read_int(f"{directory}/pids.current"),
        pids_limit=control.read_int(f"{directory}/pids.max"),
        block=_block(directory, everything=everything),
    )
    if not everything:
        return basic
    return CgroupStats(
        **{name: getattr(basic, name) for name in ("cpu", "memory", "pids", "pids_limit", "block")},
        cpuset=_cpuset(directory),
        hugetlb={size: _huge(directory, size) for size in stat_files.page_sizes()},
        hugetlb_reserved={size: _huge(directory, f"{size}.rsvd") for size in stat_files.page_sizes()},
        rdma=stat_files.read_rdma(f"{directory}/rdma.current"),
        rdma_limits=stat_files.read_rdma(f"{directory}/rdma.max"),
        misc=_misc(directory),
    )


def _cpu(directory: str, *, everything: bool) -> CpuStats:
    table = control.read_table(f"{directory}/cpu.stat")
    return CpuStats(
        usage_ns=table.get("usage_usec", 0) * _US,
        user_ns=table.get("user_usec", 0) * _US,
        system_ns=table.get("system_usec", 0) * _US,
        periods=table.get("nr_periods", 0),
        throttled_periods=table.get("nr_throttled", 0),
        throttled_ns=table.get("throttled_usec", 0) * _US,
        bursts=table.get("nr_bursts", 0),
        burst_ns=table.get("burst_usec", 0) * _US,
        pressure=stat_files.read_pressure(f"{directory}/cpu.pressure") if everything else None,
    )


def _memory(directory: str, *, everything: bool) -> MemoryStats:
    events = control.read_table(f"{directory}/memory.events")
    stat = control.read_table(f"{directory}/memory.stat")
    own = stat_files.read_counter(directory, "memory.current", "memory.peak", "memory.max")
    swap = Counter()
    if everything:
        swap = stat_files.read_counter(directory, "memory.swap.current", "memory.swap.peak", "memory.swap.max")
        swap_events = control.read_table(f"{directory}/memory.swap.events")
        swap = Counter(swap.usage, swap.max_usage, swap.limit, swap_events.get("fail", 0))
    return MemoryStats(
        usage=own.usage,
        max_usage=own.max_usage,
        limit=own.limit,
        failures=events.get("max", 0),
        oom_kills=events.get("oom_kill", 0),
        stat=stat,
        events=events,
        swap=_with_memory(directory, own, swap) if everything else Counter(),
        swap_only=swap,
        kernel=Counter(usage=stat.get("kernel", 0)),
        hierarchical=True,
        pressure=stat_files.read_pressure(f"{directory}/memory.pressure") if everything else None,
    )


def _with_memory(directory: str, memory: Counter, swap: Counter) -> Counter:
    """Count memory and swap together, as v1 does; without a limit of either there is none of the sum."""
    has_limit = memory.limit and control.read(f"{directory}/memory.swap.max").strip().isdecimal()
    limit = memory.limit + swap.limit if has_limit else 0
    return Counter(memory.usage + swap.usage, memory.max_usage + swap.max_usage, limit, swap.failures)


def _block(directory: str, *, everything: bool) -> BlockStats:
    tables: dict[str, list[BlockEntry]] = {"bytes": [], "operations": []}
    for line in control.read(f"{directory}/io.stat").splitlines():
        device, *fields = line.split() or [""]
        major, _, minor = device.partition(":")
        if not (major.isdecimal() and minor.isdecimal()):
            continue
        for field in fields:
            key, _, value = field.partition("=")
            if key in _BLOCK_KEYS and value.isdecimal():
                table, op = _BLOCK_KEYS[key]
                tables[table].append(BlockEntry(int(major), int(minor), op, int(value)))
    return BlockStats(
        tuple(tables["bytes"]),
        tuple(tables["operations"]),
        pressure=stat_files.read_pressure(f"{directory}/io.pressure") if everything else None,
    )


def _huge(directory: str, size: str) -> Counter:
    prefix = f"{directory}/hugetlb.{size}"
    return Counter(
        control.read_int(f"{prefix}.current"),
        limit=control.read_int(f"{prefix}.max"),
        failures=control.read_table(f"{prefix}.events").get("max", 0),
    )


def _misc(directory: str) -> dict[str, Counter]:
    """Resources that exist in few pieces, by name: memory encryption ids, ..."""
    peaks = control.read_table(f"{directory}/misc.peak")
    limits = control.read_table(f"{directory}/misc.max")
    events = control.read_table(f"{directory}/misc.events")
    return {
        name: Counter(usage, peaks.get(name, 0), limits.get(name, 0), events.get(f"{name}.max", 0))
        for name, usage in control.read_table(f"{directory}/misc.current").items()
    }


def _cpuset(directory: str) -> CpusetStats:
    return CpusetStats(
        cpus=control.read(f"{directory}/cpuset.cpus").strip(),
        mems=control.read(f"{directory}/cpuset.mems").strip(),
        effective_cpus=control.read(f"{directory}/cpuset.cpus.effective").strip(),
        effective_mems=control.read(f"{directory}/cpuset.mems.effective").strip(),
    )
