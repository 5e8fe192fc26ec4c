"""The v2 driver on directories that look like a cgroup tree."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path

import pytest

from windlass.base.errors import InvalidParameter
from windlass.cgroups import control
from windlass.cgroups.figures import BlockEntry
from windlass.cgroups.model import CgroupError, CgroupHost
from windlass.cgroups.names import clean_name
from windlass.cgroups.v2 import V2Cgroup
from windlass.cgroups.v2_driver import V2Driver
from windlass.cgroups.v2_stats import read_stats
from windlass.spec.resources import LinuxMemory, LinuxPids, LinuxResources


@pytest.fixture
def host(tmp_path: Path) -> CgroupHost:
    return CgroupHost(2, str(tmp_path), dict.fromkeys(("cpu", "memory", "pids"), str(tmp_path)))


def _fake_files(directory: Path, *names: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        (directory / name).write_text("")


def test_controllers_are_handed_down(host: CgroupHost, tmp_path: Path) -> None:
    _fake_files(tmp_path, "cgroup.subtree_control")
    (tmp_path / "cgroup.controllers").write_text("cpu io memory pids")
    V2Driver(host).ensure_parent("windlass")
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    assert (tmp_path / "windlass").is_dir()


def test_limits_are_written(host: CgroupHost, tmp_path: Path) -> None:
    _fake_files(tmp_path / "w/id", "pids.max", "memory.max", "memory.swap.max")
    resources = LinuxResources(pids=LinuxPids(5), memory=LinuxMemory(limit=100, swap=100))
    V2Cgroup(host, "w/id").apply(resources)
    assert (tmp_path / "w/id/pids.max").read_text() == "5"
    assert (tmp_path / "w/id/memory.max").read_text() == "100"
    assert (tmp_path / "w/id/memory.swap.max").read_text() == "0"


def test_a_missing_controller_is_left_out(host: CgroupHost, tmp_path: Path) -> None:
    bare = CgroupHost(2, host.root, {})
    _fake_files(tmp_path / "w/id")
    V2Cgroup(bare, "w/id").apply(LinuxResources(pids=LinuxPids(5)))
    assert list((tmp_path / "w/id").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ENODEV, errno.EACCES])
def test_a_group_that_goes_while_it_is_killed_needs_no_killing(
    host: CgroupHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    _fake_files(tmp_path / "w/id", "cgroup.kill")

    def fail(path: str, text: str) -> None:
        raise CgroupError("failed to write", path, text, number)

    monkeypatch.setattr(control, "write", fail)
    refused = pytest.raises(CgroupError) if number == errno.EACCES else contextlib.nullcontext()
    with refused:
        V2Cgroup(host, "w/id").kill_all()


def test_stats(tmp_path: Path) -> None:
    def write(name: str, text: str) -> int:
        return (tmp_path / name).write_text(text)

    write("cpu.stat", "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 7\nnr_throttled 1\nthrottled_usec 9\n")
    write("memory.current", "4096\n")
    write("memory.max", "max\n")
    write("memory.events", "low 0\nmax 3\noom 1\noom_kill 2\n")
    write("memory.stat", "anon 10\nfile 20\n")
    write("pids.current", "4")
    write("pids.max", "100")
    write("io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n")
    stats = read_stats(str(tmp_path))
    assert (stats.cpu.usage_ns, stats.cpu.throttled_ns, stats.cpu.throttled_periods) == (5000, 9000, 1)
    assert (stats.memory.usage, stats.memory.limit, stats.memory.oom_kills) == (4096, 0, 2)
    assert stats.memory.stat == {"anon": 10, "file": 20}
    assert (stats.pids, stats.pids_limit) == (4, 100)
    assert stats.block.bytes[:2] == (BlockEntry(8, 0, "read", 1), BlockEntry(8, 0, "write", 2))
    assert stats.block.operations[:2] == (BlockEntry(8, 0, "read", 3), BlockEntry(8, 0, "write", 4))


def test_stats_of_a_removed_group_are_zero(tmp_path: Path) -> None:
    assert read_stats(str(tmp_path / "gone")).memory.usage == 0


@pytest.mark.parametrize("name", ["", "/", "a/../b", "..", "a\nb", "a\0b"])
def test_names_stay_below_the_root(name: str) -> None:
    with pytest.raises(InvalidParameter):
        clean_name(name)


def test_names_are_cleaned() -> None:
    assert clean_name("/windlass//./id/") == "windlass/id"
