"""Which file gets which text."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from pathlib import Path

import pytest

from windlass.base.errors import InvalidParameter
from windlass.cgroups import control, v1_limits, v2_limits
from windlass.cgroups.missing import missing_controllers, missing_warnings
from windlass.cgroups.model import CgroupError, CgroupHost
from windlass.cgroups.settings import Setting, write_settings
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


def _files(settings: Iterable[Setting]) -> list[tuple[str, str, str]]:
    return [(setting.controller, file, text) for setting in settings for file, text in setting.choices]


def test_v1() -> None:
    assert _files(v1_limits.settings(_RESOURCES)) == [
        ("pids", "pids.max", "100"),
        ("memory", "memory.limit_in_bytes", str(1 << 20)),
        ("memory", "memory.memsw.limit_in_bytes", str(3 << 20)),
        ("memory", "memory.soft_limit_in_bytes", str(1 << 19)),
        ("cpuset", "cpuset.cpus", "0-1"),
        ("cpuset", "cpuset.mems", "0"),
        ("cpu", "cpu.shares", "512"),
        ("cpu", "cpu.cfs_period_us", "100000"),
        ("cpu", "cpu.cfs_quota_us", "50000"),
        ("blkio", "blkio.bfq.weight", "500"),
        ("blkio", "blkio.weight", "500"),
        ("blkio", "blkio.bfq.weight_device", "8:0 100"),
        ("blkio", "blkio.weight_device", "8:0 100"),
        ("blkio", "blkio.throttle.read_bps_device", "8:0 1024"),
    ]


def test_v2() -> None:
    assert _files(v2_limits.settings(_RESOURCES)) == [
        ("pids", "pids.max", "100"),
        ("memory", "memory.swap.max", str(2 << 20)),
        ("memory", "memory.max", str(1 << 20)),
        ("memory", "memory.low", str(1 << 19)),
        ("cpuset", "cpuset.cpus", "0-1"),
        ("cpuset", "cpuset.mems", "0"),
        ("cpu", "cpu.weight", "59"),
        ("cpu", "cpu.max", "50000 100000"),
        ("io", "io.bfq.weight", "default 500"),
        ("io", "io.weight", "default 4950"),
        ("io", "io.bfq.weight", "8:0 100"),
        ("io", "io.weight", "8:0 910"),
        ("io", "io.max", "8:0 rbps=1024"),
    ]


def test_unlimited_pids() -> None:
    resources = LinuxResources(pids=LinuxPids(-1))
    assert _files(v1_limits.settings(resources)) == [("pids", "pids.max", "max")]
    assert _files(v2_limits.settings(resources)) == [("pids", "pids.max", "max")]


@pytest.mark.parametrize("key", ["../cgroup.procs", "memory/x.y", "nodot"])
def test_unified_keys_are_file_names(key: str) -> None:
    with pytest.raises(InvalidParameter, match="unified resource"):
        list(v2_limits.settings(LinuxResources(unified={key: "1"})))


# --- v1 memory: the sum of memory and swap may never be below memory ------------------------------------


@pytest.mark.parametrize(
    ("present", "wanted"), [((100, 200), (300, 400)), ((300, 400), (100, 200)), ((100, 200), (150, 180))]
)
def test_v1_memory_moves_both_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, present: tuple[int, int], wanted: tuple[int, int]
) -> None:
    values = {"memory.limit_in_bytes": present[0], "memory.memsw.limit_in_bytes": present[1]}

    def write(path: str, text: str) -> None:
        after = values | {Path(path).name: int(text)}
        if after["memory.limit_in_bytes"] > after["memory.memsw.limit_in_bytes"]:
            raise CgroupError("refused", path, text, errno.EINVAL)
        values.update(after)

    monkeypatch.setattr(control, "write", write)
    memory = LinuxMemory(limit=wanted[0], swap=wanted[1])
    assert write_settings(v1_limits.settings(LinuxResources(memory=memory)), lambda _: str(tmp_path)) == []
    assert tuple(values.values()) == wanted


def test_v1_unlimited_memory_unlimits_the_sum() -> None:
    resources = LinuxResources(memory=LinuxMemory(limit=-1))
    assert [text for _, _, text in _files(v1_limits.settings(resources))] == ["-1", "-1"]


def test_missing_controllers_are_warnings() -> None:
    missing = missing_controllers(CgroupHost(1, "/", {"cpu": "/cpu"}), v1_limits.settings(_RESOURCES))
    assert [limit.field for limit in missing][:3] == ["/pids/limit", "/memory/limit", "/memory/swap"]
    text = "Your kernel does not support"
    assert missing_warnings(missing) == (
        f"{text} PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.",
        f"{text} memory limit capabilities or the cgroup is not mounted. Limitation discarded.",
        f"{text} swap limit capabilities or the cgroup is not mounted. Memory limited without swap.",
        f"{text} memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.",
        f"{text} cpuset or the cgroup is not mounted. Cpuset discarded.",
        f"{text} Block I/O weight or the cgroup is not mounted. Weight discarded.",
        f"{text} Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.",
        f"{text} BPS Block I/O read limit or the cgroup is not mounted. BPS read limit discarded.",
    )


@pytest.mark.parametrize("refusing", [{"io.weight"}, {"io.bfq.weight"}, {"io.weight", "io.bfq.weight"}])
def test_of_two_files_one_has_to_take_the_weight(monkeypatch: pytest.MonkeyPatch, refusing: set[str]) -> None:
    """The files of BFQ and of io.cost refuse each other's devices; a device of neither has no weight."""
    written = []

    def write(path: str, text: str) -> None:
        if path.rpartition("/")[2] in refusing:
            raise CgroupError(f"failed to write {path}", path, text, errno.EOPNOTSUPP)
        written.append((path, text))

    monkeypatch.setattr(control, "write", write)
    resources = LinuxResources(block_io=LinuxBlockIo(weight_device=[LinuxWeightDevice(8, 0, 100)]))
    settings = list(v2_limits.settings(resources))
    if len(refusing) == 2:
        with pytest.raises(CgroupError, match=r"io\.bfq\.weight"):
            write_settings(settings, lambda _: "/group")
    else:
        write_settings(settings, lambda _: "/group")
        assert [path for path, _ in written] == [f"/group/{({'io.weight', 'io.bfq.weight'} - refusing).pop()}"]
