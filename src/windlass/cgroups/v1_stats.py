"""Figures of cgroup v1.

Source: Documentation/admin-guide/cgroup-v1/{cpuacct,cpusets,memory,pids,blkio-controller,hugetlb,rdma}.rst.
"""

from __future__ import annotations

import os

from windlass.cgroups import control, stat_files
from windlass.cgroups.figures import BlockEntry, BlockStats, CgroupStats, Counter, CpusetStats, CpuStats, MemoryStats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
# A page counter without a limit shows the largest multiple of the page size in a signed 64-bit number.
_NO_LIMIT = 1 << 62
_BLOCK_OPS = ("Read", "Write", "Sync", "Async", "Discard")
_CPUSET_FLAGS = (
    "cpu_exclusive",
    "mem_exclusive",
    "mem_hardwall",
    "memory_migrate",
    "memory_pressure",
    "memory_spread_page",
    "memory_spread_slab",
    "sched_load_balance",
    "sched_relax_domain_level",
)


def read_stats(locate: Callable[[str], str], *, everything: bool = False) -> CgroupStats:
    """Read the figures; `locate(controller)` is the group's directory, empty when the controller is not mounted."""
    pids = locate("pids") or "/nonexistent"
    basic = CgroupStats(
        cpu=_cpu(locate("cpuacct") or "/nonexistent", locate("cpu") or "/nonexistent", everything=everything),
        memory=_memory(locate("memory") or "/nonexistent", everything=everything),
        pids=control.read_int(f"{pids}/pids.current"),
        pids_limit=control.read_int(f"{pids}/pids.max"),
        block=_block(locate("blkio") or "/nonexistent", everything=everything),
    )
    if not everything:
        return basic
    huge, rdma = locate("hugetlb"), locate("rdma")
    return CgroupStats(
        **{name: getattr(basic, name) for name in ("cpu", "memory", "pids", "pids_limit", "block")},
        cpuset=_cpuset(locate("cpuset") or "/nonexistent"),
        hugetlb={size: _huge(huge, size) for size in stat_files.page_sizes()} if huge else {},
        hugetlb_reserved={size: _huge(huge, f"{size}.rsvd") for size in stat_files.page_sizes()} if huge else {},
        rdma=stat_files.read_rdma(f"{rdma}/rdma.current") if rdma else (),
        rdma_limits=stat_files.read_rdma(f"{rdma}/rdma.max") if rdma else (),
    )


def _cpu(accounting: str, cpu: str, *, everything: bool) -> CpuStats:
    ticks = control.read_table(f"{accounting}/cpuacct.stat")
    throttling = control.read_table(f"{cpu}/cpu.stat")
    return CpuStats(
        usage_ns=control.read_int(f"{accounting}/cpuacct.usage"),
        user_ns=ticks.get("user", 0) * _TICK_NS,
        system_ns=ticks.get("system", 0) * _TICK_NS,
        periods=throttling.get("nr_periods", 0),
        throttled_periods=throttling.get("nr_throttled", 0),
        throttled_ns=throttling.get("throttled_time", 0),
        bursts=throttling.get("nr_bursts", 0),
        burst_ns=throttling.get("burst_time", 0),
        per_cpu_ns=_numbers(f"{accounting}/cpuacct.usage_percpu"),
        per_cpu_user_ns=_numbers(f"{accounting}/cpuacct.usage_percpu_user") if everything else (),
        per_cpu_system_ns=_numbers(f"{accounting}/cpuacct.usage_percpu_sys") if everything else (),
    )


def _numbers(path: str) -> tuple[int, ...]:
    return tuple(int(word) for word in control.read(path).split() if word.isdecimal())


def _memory(directory: str, *, everything: bool) -> MemoryStats:
    oom = control.read_table(f"{directory}/memory.oom_control")
    own = _counter(directory, "memory")
    return MemoryStats(
        usage=own.usage,
        max_usage=own.max_usage,
        limit=own.limit,
        failures=own.failures,
        oom_kills=oom.get("oom_kill", 0),
        stat=control.read_table(f"{directory}/memory.stat"),
        swap=_counter(directory, "memory.memsw") if everything else Counter(),
        kernel=_counter(directory, "memory.kmem") if everything else Counter(),
        kernel_tcp=_counter(directory, "memory.kmem.tcp") if everything else Counter(),
        hierarchical=everything and control.read_int(f"{directory}/memory.use_hierarchy") == 1,
        under_oom=oom.get("under_oom", 0) == 1,
        oom_kill_disabled=oom.get("oom_kill_disable", 0) == 1,
    )


def _counter(directory: str, prefix: str) -> Counter:
    read = stat_files.read_counter(
        directory,
        f"{prefix}.usage_in_bytes",
        f"{prefix}.max_usage_in_bytes",
        f"{prefix}.limit_in_bytes",
        f"{prefix}.failcnt",
    )
    return read if read.limit < _NO_LIMIT else Counter(read.usage, read.max_usage, 0, read.failures)


def _huge(directory: str, size: str) -> Counter:
    return _counter(directory, f"hugetlb.{size}")


def _block(directory: str, *, everything: bool) -> BlockStats:
    """The tables of BFQ where it counts, and those of the throttling layer, which always does."""
    amounts = _table(directory, "blkio.throttle.io_service_bytes_recursive")
    counts = _table(directory, "blkio.throttle.io_serviced_recursive")
    if not everything:
        return BlockStats(amounts, counts)
    return BlockStats(
        amounts,
        counts,
        queued=_scheduler_table(directory, "io_queued_recursive"),
        service_time=_scheduler_table(directory, "io_service_time_recursive"),
        wait_time=_scheduler_table(directory, "io_wait_time_recursive"),
        merged=_scheduler_table(directory, "io_merged_recursive"),
        time=_scheduler_table(directory, "time_recursive"),
        sectors=_scheduler_table(directory, "sectors_recursive"),
    )


def _scheduler_table(directory: str, file: str) -> tuple[BlockEntry, ...]:
    return _table(directory, f"blkio.bfq.{file}") or _table(directory, f"blkio.{file}")


def _table(directory: str, file: str) -> tuple[BlockEntry, ...]:
    """Read lines of `8:0 Read 4096` and of `8:0 4096`; sums (`Total`) are left out."""
    entries = []
    for line in control.read(f"{directory}/{file}").splitlines():
        words = line.split()
        if len(words) not in (2, 3) or not words[-1].isdecimal():
            continue
        major, _, minor = words[0].partition(":")
        op = words[1] if len(words) == 3 else ""
        if major.isdecimal() and minor.isdecimal() and (not op or op in _BLOCK_OPS):
            entries.append(BlockEntry(int(major), int(minor), op.lower(), int(words[-1])))
    return tuple(entries)


def _cpuset(directory: str) -> CpusetStats:
    return CpusetStats(
        cpus=control.read(f"{directory}/cpuset.cpus").strip(),
        mems=control.read(f"{directory}/cpuset.mems").strip(),
        effective_cpus=control.read(f"{directory}/cpuset.effective_cpus").strip(),
        effective_mems=control.read(f"{directory}/cpuset.effective_mems").strip(),
        flags={name: control.read_int(f"{directory}/cpuset.{name}") for name in _CPUSET_FLAGS},
    )
