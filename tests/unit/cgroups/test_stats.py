"""Figures out of control files, as kernels write them."""

from __future__ import annotations

from pathlib import Path

from windlass.cgroups import stat_files, v1_stats, v2_stats
from windlass.cgroups.figures import BlockEntry, Counter, Pressure, PressureLine, RdmaEntry

_V1 = {
    "cpuacct.usage": "3000\n",
    "cpuacct.stat": "user 5\nsystem 7\n",
    "cpuacct.usage_percpu": "1000 2000 \n",
    "cpuacct.usage_percpu_user": "400 500 \n",
    "cpuacct.usage_percpu_sys": "600 1500 \n",
    "cpu.stat": "nr_periods 3\nnr_throttled 2\nthrottled_time 99\nnr_bursts 1\nburst_time 11\n",
    "memory.usage_in_bytes": "4096\n",
    "memory.max_usage_in_bytes": "8192\n",
    "memory.limit_in_bytes": "9223372036854771712\n",
    "memory.failcnt": "4\n",
    "memory.memsw.usage_in_bytes": "5000\n",
    "memory.memsw.limit_in_bytes": "6000\n",
    "memory.kmem.usage_in_bytes": "70\n",
    "memory.kmem.tcp.failcnt": "8\n",
    "memory.oom_control": "oom_kill_disable 1\nunder_oom 1\noom_kill 2\n",
    "memory.stat": "cache 1\nrss 2\ntotal_rss 3\n",
    "memory.use_hierarchy": "1\n",
    "pids.current": "3\n",
    "pids.max": "max\n",
    "blkio.throttle.io_service_bytes_recursive": "8:0 Read 1\n8:0 Write 2\n8:0 Total 3\nTotal 3\n",
    "blkio.throttle.io_serviced_recursive": "8:0 Discard 4\n",
    "blkio.bfq.io_queued_recursive": "8:0 Sync 5\nbroken\n8:x Read 1\n",
    "blkio.time_recursive": "8:0 77\n",
    "cpuset.cpus": "0-1\n",
    "cpuset.effective_cpus": "0\n",
    "cpuset.memory_migrate": "1\n",
    "rdma.current": "mlx4_0 hca_handle=1 hca_object=2\n",
    "rdma.max": "mlx4_0 hca_handle=max hca_object=9\n",
}


def _tree(directory: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (directory / name).write_text(text)
    return str(directory)


def test_v1(tmp_path: Path) -> None:
    directory = _tree(tmp_path, _V1)
    figures = v1_stats.read_stats(lambda _: directory, everything=True)
    assert (figures.cpu.usage_ns, figures.cpu.user_ns, figures.cpu.system_ns) == (3000, 50_000_000, 70_000_000)
    assert (figures.cpu.per_cpu_ns, figures.cpu.per_cpu_user_ns) == ((1000, 2000), (400, 500))
    assert (figures.cpu.throttled_periods, figures.cpu.throttled_ns, figures.cpu.burst_ns) == (2, 99, 11)
    memory = figures.memory
    assert (memory.usage, memory.max_usage, memory.limit, memory.failures) == (4096, 8192, 0, 4)
    assert (memory.swap, memory.kernel, memory.kernel_tcp.failures) == (Counter(5000, 0, 6000), Counter(70), 8)
    assert (memory.oom_kills, memory.under_oom, memory.oom_kill_disabled, memory.hierarchical) == (2, True, True, True)
    assert (figures.pids, figures.pids_limit) == (3, 0)
    assert figures.block.bytes == (BlockEntry(8, 0, "read", 1), BlockEntry(8, 0, "write", 2))
    assert figures.block.operations == (BlockEntry(8, 0, "discard", 4),)
    assert figures.block.queued == (BlockEntry(8, 0, "sync", 5),)
    assert figures.block.time == (BlockEntry(8, 0, "", 77),)
    assert (figures.cpuset.cpus, figures.cpuset.effective_cpus, figures.cpuset.flags["memory_migrate"]) == (
        "0-1",
        "0",
        1,
    )
    assert figures.rdma == (RdmaEntry("mlx4_0", 1, 2),)
    assert figures.rdma_limits == (RdmaEntry("mlx4_0", -1, 9),)


def test_v1_without_any_controller() -> None:
    figures = v1_stats.read_stats(lambda _: "", everything=True)
    assert (figures.memory.usage, figures.cpu.usage_ns, figures.block.bytes, figures.hugetlb) == (0, 0, (), {})


_V2 = {
    "cpu.stat": "usage_usec 5\nnr_bursts 2\nburst_usec 3\n",
    "cpu.pressure": "some avg10=1.50 avg60=0.20 avg300=0.03 total=99\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n",
    "memory.current": "100\n",
    "memory.peak": "150\n",
    "memory.max": "1000\n",
    "memory.swap.current": "10\n",
    "memory.swap.max": "0\n",
    "memory.swap.events": "high 0\nmax 4\nfail 5\n",
    "memory.stat": "anon 1\nkernel 33\n",
    "memory.pressure": "broken",
    "io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n253:1 rbytes=x\nnonsense\n",
    "io.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n",
    "hugetlb.2MB.current": "2097152\n",
    "hugetlb.2MB.max": "4194304\n",
    "hugetlb.2MB.events": "max 6\n",
    "hugetlb.2MB.rsvd.current": "1\n",
    "misc.current": "res_a 3\nres_b 0\n",
    "misc.max": "res_a 10\nres_b max\n",
    "misc.events": "res_a.max 2\n",
    "cpuset.cpus.effective": "0-3\n",
}


def test_v2(tmp_path: Path) -> None:
    figures = v2_stats.read_stats(_tree(tmp_path, _V2), everything=True)
    assert (figures.cpu.bursts, figures.cpu.burst_ns) == (2, 3000)
    assert figures.cpu.pressure == Pressure(PressureLine(1.5, 0.2, 0.03, 99), PressureLine(total_us=7))
    memory = figures.memory
    assert (memory.swap_only, memory.swap) == (Counter(10, 0, 0, 5), Counter(110, 150, 1000, 5))
    assert (memory.kernel.usage, memory.pressure) == (33, None)
    assert figures.block.bytes == tuple(
        BlockEntry(8, 0, op, n) for op, n in (("read", 1), ("write", 2), ("discard", 5))
    )
    assert figures.block.pressure == Pressure(PressureLine(total_us=1))
    assert figures.misc == {"res_a": Counter(3, 0, 10, 2), "res_b": Counter()}
    assert figures.cpuset.effective_cpus == "0-3"
    if "2MB" in stat_files.page_sizes():
        assert figures.hugetlb["2MB"] == Counter(2_097_152, 0, 4_194_304, 6)
        assert figures.hugetlb_reserved["2MB"].usage == 1


def test_what_an_engine_shows_every_second_is_less(tmp_path: Path) -> None:
    figures = v2_stats.read_stats(_tree(tmp_path, _V2))
    assert (figures.cpu.pressure, figures.misc, figures.memory.swap) == (None, {}, Counter())
    assert figures.memory.usage == 100


def test_sizes_of_pages() -> None:
    assert [stat_files.page_size(kib) for kib in (64, 2048, 1 << 20, 16 << 20)] == ["64KB", "2MB", "1GB", "16GB"]
