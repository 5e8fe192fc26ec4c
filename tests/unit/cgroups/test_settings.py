"""Which file gets which text."""

from __future__ import annotations

from pathlib import Path

import pytest

from windlass.base.errors import InvalidParameter
from windlass.cgroups import v1_limits, v2_limits
from windlass.cgroups.missing import missing_warnings
from windlass.cgroups.model import CgroupHost
from windlass.spec.resources import (
    LinuxBlockIo,
    LinuxCpu,
    LinuxMemory,
    LinuxPids,
    LinuxResources,
    LinuxThrottleDevice,
    LinuxWeightDevice,
)

_RESOURCES = LinuxResources(
    memory=LinuxMemory(limit=1 << 20, swap=3 << 20, reservation=1 << 19),
    cpu=LinuxCpu(shares=512, quota=50_000, period=100_000, cpus="0-1", mems="0"),
    pids=LinuxPids(100),
    block_io=LinuxBlockIo(
        weight=500,
        weight_device=[LinuxWeightDevice(8, 0, 100)],
        throttle_read_bps_device=[LinuxThrottleDevice(8, 0, 1024)],
    ),
)


def test_v1() -> None:
    assert list(v1_limits.settings(_RESOURCES)) == [
        ("pids", "pids.max", "100"),
        ("cpuset", "cpuset.cpus", "0-1"),
        ("cpuset", "cpuset.mems", "0"),
        ("cpu", "cpu.shares", "512"),
        ("cpu", "cpu.cfs_period_us", "100000"),
        ("cpu", "cpu.cfs_quota_us", "50000"),
        ("blkio", "blkio.bfq.weight", "500"),
        ("blkio", "blkio.bfq.weight_device", "8:0 100"),
        ("blkio", "blkio.throttle.read_bps_device", "8:0 1024"),
    ]


def test_v2() -> None:
    assert list(v2_limits.settings(_RESOURCES)) == [
        ("pids", "pids.max", "100"),
        ("memory", "memory.swap.max", str(2 << 20)),
        ("memory", "memory.max", str(1 << 20)),
        ("memory", "memory.low", str(1 << 19)),
        ("cpuset", "cpuset.cpus", "0-1"),
        ("cpuset", "cpuset.mems", "0"),
        ("cpu", "cpu.weight", "20"),
        ("cpu", "cpu.max", "50000 100000"),
        ("io", "io.bfq.weight", "500"),
        ("io", "io.weight", "default 4950"),
        ("io", "io.bfq.weight", "8:0 100"),
        ("io", "io.max", "8:0 rbps=1024"),
    ]


def test_unlimited_pids() -> None:
    resources = LinuxResources(pids=LinuxPids(-1))
    assert list(v1_limits.settings(resources)) == [("pids", "pids.max", "max")]
    assert list(v2_limits.settings(resources)) == [("pids", "pids.max", "max")]


@pytest.mark.parametrize("key", ["../cgroup.procs", "memory/x.y", "nodot"])
def test_unified_keys_are_file_names(key: str) -> None:
    with pytest.raises(InvalidParameter, match="unified resource"):
        list(v2_limits.settings(LinuxResources(unified={key: "1"})))


# --- v1 memory: the sum of memory and swap may never be below memory ------------------------------------


def _memory_directory(tmp_path: Path, limit: str, swap: str) -> Path:
    (tmp_path / "memory.limit_in_bytes").write_text(limit)
    (tmp_path / "memory.memsw.limit_in_bytes").write_text(swap)
    return tmp_path


@pytest.mark.parametrize(
    ("present", "wanted", "first"),
    [((100, 200), (300, 400), "memory.memsw"), ((300, 400), (100, 200), "memory.limit")],
)
def test_v1_memory_order(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    present: tuple[int, int],
    wanted: tuple[int, int],
    first: str,
) -> None:
    directory = _memory_directory(tmp_path, *map(str, present))
    written: list[str] = []
    monkeypatch.setattr(v1_limits.control, "write", lambda path, _text: written.append(Path(path).name))
    v1_limits.write_memory(str(directory), LinuxMemory(limit=wanted[0], swap=wanted[1]))
    assert written[0].startswith(first)
    assert len(written) == 2


def test_v1_unlimited_memory_unlimits_the_sum(tmp_path: Path) -> None:
    directory = _memory_directory(tmp_path, "", "")
    v1_limits.write_memory(str(directory), LinuxMemory(limit=-1))
    assert (tmp_path / "memory.limit_in_bytes").read_text() == "-1"
    assert (tmp_path / "memory.memsw.limit_in_bytes").read_text() == "-1"


def test_missing_controllers_are_warnings() -> None:
    warnings = missing_warnings(CgroupHost(1, "/", {"cpu": "/cpu"}), _RESOURCES)
    assert warnings == (
        "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.",
        "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.",
        "Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.",
        "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",
    )
