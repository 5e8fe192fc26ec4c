"""The v2 driver on a host whose controllers are all of cgroup v2."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from windlass.base.errors import InvalidParameter, NotSupported
from windlass.cgroups.driver import make_driver
from windlass.cgroups.model import Cgroup, CgroupDriver, CgroupError
from windlass.cgroups.v2_devices import PROGRAM_NAME
from windlass.linux import bpf
from windlass.spec.resources import (
    LinuxBlockIo,
    LinuxCpu,
    LinuxDeviceCgroup,
    LinuxHugepageLimit,
    LinuxMemory,
    LinuxPids,
    LinuxResources,
    LinuxThrottleDevice,
)

pytestmark = [pytest.mark.root, pytest.mark.cgroup2]

_PARENT = "windlass-tests-v2"
_NO_DEVICES = LinuxDeviceCgroup(False, access="rwm")
_KMSG = LinuxDeviceCgroup(True, "c", 1, 11, "rwm")
_MIB = 1 << 20
_LIMITS = LinuxResources(
    memory=LinuxMemory(limit=64 * _MIB, swap=96 * _MIB, reservation=32 * _MIB),
    cpu=LinuxCpu(shares=1024, quota=50_000, period=100_000, burst=10_000, cpus="0", mems="0"),
    pids=LinuxPids(20),
    devices=[_NO_DEVICES],
)


@pytest.fixture
def driver() -> Iterator[CgroupDriver]:
    driver = make_driver()
    yield driver
    driver.open(_PARENT).remove()


@pytest.fixture
def cgroup(driver: CgroupDriver) -> Iterator[Cgroup]:
    cgroup, warnings = driver.create(f"{_PARENT}/one", _LIMITS, strict=True)
    assert warnings == ()
    yield cgroup
    cgroup.kill_all()
    cgroup.remove()


def _directory(cgroup: Cgroup) -> Path:
    return Path(cgroup.mounts()[0].source)


def _read(cgroup: Cgroup, file: str) -> str:
    return (_directory(cgroup) / file).read_text().strip()


def _run_inside(cgroup: Cgroup, script: str) -> subprocess.CompletedProcess[str]:
    command = f"echo 0 > {cgroup.join_files()[0]}; {script}"
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=30)


def _sleeper(cgroup: Cgroup) -> subprocess.Popen[str]:
    script = f"echo 0 > {cgroup.join_files()[0]}; echo ready; exec sleep 1000"
    process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


@contextmanager
def _stray() -> Iterator[int]:
    """The pid of a process that is in no group of ours."""
    process = subprocess.Popen(["sleep", "1000"])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def test_every_limit_is_in_its_file(cgroup: Cgroup) -> None:
    values = {
        "memory.max": str(64 * _MIB),
        "memory.swap.max": str(32 * _MIB),
        "memory.low": str(32 * _MIB),
        "cpu.weight": "100",
        "cpu.max": "50000 100000",
        "cpu.max.burst": "10000",
        "cpuset.cpus": "0",
        "cpuset.mems": "0",
        "pids.max": "20",
    }
    assert {file: _read(cgroup, file) for file in values} == values


def test_only_what_is_said_changes(cgroup: Cgroup) -> None:
    cgroup.update(LinuxResources(cpu=LinuxCpu(period=200_000), memory=LinuxMemory(swap=64 * _MIB)))
    assert _read(cgroup, "cpu.max") == "50000 200000"
    assert _read(cgroup, "memory.swap.max") == "0"
    assert _read(cgroup, "memory.max") == str(64 * _MIB)
    cgroup.update(LinuxResources(memory=LinuxMemory(limit=-1)))
    assert (_read(cgroup, "memory.max"), _read(cgroup, "memory.swap.max")) == ("max", "max")


def test_quota_and_burst_move_both_ways(cgroup: Cgroup) -> None:
    for quota, burst in ((5_000, 4_000), (80_000, 70_000), (-1, 90_000)):
        cgroup.update(LinuxResources(cpu=LinuxCpu(quota=quota, burst=burst)))
        assert _read(cgroup, "cpu.max") == f"{quota if quota > 0 else 'max'} 100000"
        assert _read(cgroup, "cpu.max.burst") == str(burst)


def test_a_refused_update_changes_nothing(cgroup: Cgroup) -> None:
    before = {file: _read(cgroup, file) for file in ("pids.max", "memory.max", "cpuset.cpus")}
    wanted = LinuxResources(pids=LinuxPids(5), memory=LinuxMemory(limit=32 * _MIB), cpu=LinuxCpu(cpus="4095"))
    with pytest.raises(CgroupError, match=r'failed to write "4095" to ".*cpuset\.cpus"') as caught:
        cgroup.update(wanted)
    assert caught.value.value == "4095"
    assert {file: _read(cgroup, file) for file in before} == before


def test_idle_and_weight_in_one_update(cgroup: Cgroup) -> None:
    cgroup.update(LinuxResources(cpu=LinuxCpu(shares=512, idle=1)))
    assert _read(cgroup, "cpu.idle") == "1"
    cgroup.update(LinuxResources(cpu=LinuxCpu(shares=2048, idle=0)))
    assert (_read(cgroup, "cpu.idle"), _read(cgroup, "cpu.weight")) == ("0", "174")


def test_a_limit_below_the_usage_is_refused_where_asked(cgroup: Cgroup) -> None:
    process = _sleeper(cgroup)
    memory = LinuxMemory(limit=1, check_before_update=True)
    with pytest.raises(CgroupError, match=r"rejecting memory limit 1 <= usage \d+"):
        cgroup.update(LinuxResources(memory=memory))
    assert process.poll() is None
    process.kill()
    process.wait()


def test_huge_pages_and_throttles(cgroup: Cgroup) -> None:
    number = _a_disk()
    throttles = [LinuxThrottleDevice(*number, 1 << 20)] if number else []
    resources = LinuxResources(
        hugepage_limits=[LinuxHugepageLimit("2MB", 4 * _MIB)], block_io=LinuxBlockIo(throttle_read_bps_device=throttles)
    )
    assert cgroup.update(resources) == ()
    assert _read(cgroup, "hugetlb.2MB.max") == str(4 * _MIB)
    assert _read(cgroup, "hugetlb.2MB.rsvd.max") == str(4 * _MIB)
    figures = cgroup.stats(everything=True)
    assert figures.hugetlb["2MB"].limit == 4 * _MIB
    if number:
        assert _read(cgroup, "io.max").startswith(f"{number[0]}:{number[1]} rbps={1 << 20}")
        lifted = [LinuxThrottleDevice(*number, 0)]
        cgroup.update(LinuxResources(block_io=LinuxBlockIo(throttle_read_bps_device=lifted)))
        assert _read(cgroup, "io.max") == ""


def _a_disk() -> tuple[int, int] | None:
    """Number of a block device; a machine without disks has none."""
    for path in sorted(Path("/sys/block").glob("*/dev")):
        major, _, minor = path.read_text().strip().partition(":")
        return int(major), int(minor)
    return None


# --- raw values ---------------------------------------------------------------------------------------


def test_unified_values_win_and_are_written_line_by_line(cgroup: Cgroup) -> None:
    unified = {"memory.high": "max", "pids.max": "7", "cgroup.max.descendants": "3"}
    cgroup.update(LinuxResources(pids=LinuxPids(9), unified=unified))
    assert (_read(cgroup, "pids.max"), _read(cgroup, "cgroup.max.descendants")) == ("7", "3")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("nonexistent.max", "controller is not available"),
        ("memory.nonexistent", "there is no memory.nonexistent"),
        ("cgroup.procs", "is not a limit"),
        ("../memory.max", "no slashes"),
    ],
)
def test_unified_keys_that_are_no_limits(driver: CgroupDriver, key: str, text: str) -> None:
    with pytest.raises(InvalidParameter, match=text):
        driver.create(f"{_PARENT}/raw", LinuxResources(unified={key: "1"}))
    assert not driver.open(f"{_PARENT}/raw").exists()


# --- devices ------------------------------------------------------------------------------------------


def _programs(cgroup: Cgroup) -> list[int]:
    return bpf.attached_device_programs(str(_directory(cgroup)))


def test_the_device_filter_is_exchanged(cgroup: Cgroup) -> None:
    assert "not permitted" in _run_inside(cgroup, "head -c1 /dev/null; cat /dev/kmsg").stderr
    before = _programs(cgroup)
    cgroup.update(LinuxResources(devices=[_NO_DEVICES, _KMSG]))
    after = _programs(cgroup)
    assert len(before) == len(after) == 1 and before != after
    assert "not permitted" not in _run_inside(cgroup, "head -c1 /dev/kmsg").stderr
    cgroup.update(LinuxResources(devices=[LinuxDeviceCgroup(True, access="rwm")]))
    assert _programs(cgroup) == []
    cgroup.update(LinuxResources(devices=[_NO_DEVICES]))
    assert "not permitted" in _run_inside(cgroup, "cat /dev/kmsg").stderr


def test_others_filters_stay(cgroup: Cgroup) -> None:
    from windlass.cgroups.device_program import device_program
    from windlass.cgroups.devices import DeviceRules

    foreign = bpf.load_device_program(device_program(DeviceRules(True, ((("c", 1, 11), "rwm"),))), "somebody")
    try:
        bpf.attach_device_program(str(_directory(cgroup)), foreign)
    finally:
        os.close(foreign)
    cgroup.update(LinuxResources(devices=[_NO_DEVICES, _KMSG]))
    names = []
    for number in _programs(cgroup):
        program = bpf.open_program(number)
        names.append(bpf.program_name(program))
        os.close(program)
    assert sorted(names) == ["somebody", PROGRAM_NAME]
    assert "not permitted" in _run_inside(cgroup, "cat /dev/kmsg").stderr


# --- processes ----------------------------------------------------------------------------------------


def test_freeze_and_kill(cgroup: Cgroup) -> None:
    process = _sleeper(cgroup)
    cgroup.set_frozen(True)
    assert cgroup.is_frozen()
    assert process.pid in cgroup.processes()
    cgroup.kill_all()
    assert process.wait(5) == -9
    cgroup.set_frozen(False)
    assert not cgroup.is_frozen()


def test_joining_from_outside_and_below(cgroup: Cgroup) -> None:
    inner = _directory(cgroup) / "inner"
    inner.mkdir()
    assert cgroup.join_files({"": "inner"}) == [f"{inner}/cgroup.procs"]
    with _stray() as pid:
        cgroup.add_process(pid)
        assert pid in cgroup.processes()
        # A container that hands controllers down has its processes in a group of its own.
        (inner / "cgroup.procs").write_text(str(pid))
        (_directory(cgroup) / "cgroup.subtree_control").write_text("+pids")
        assert cgroup.join_files(init_pid=pid) == [f"{inner}/cgroup.procs"]
        assert cgroup.join_files() == [f"{_directory(cgroup)}/cgroup.procs"]


def test_out_of_memory_is_counted(driver: CgroupDriver) -> None:
    small = LinuxResources(memory=LinuxMemory(limit=4 * _MIB, swap=4 * _MIB))
    cgroup, _ = driver.create(f"{_PARENT}/small", small)
    done = _run_inside(cgroup, "head -c 16m /dev/zero | tail -c 16m > /dev/null")
    figures = cgroup.stats(everything=True)
    assert done.returncode != 0
    assert figures.memory.oom_kills >= 1
    assert figures.memory.limit == 4 * _MIB
    cgroup.remove()


def test_figures(cgroup: Cgroup) -> None:
    process = _sleeper(cgroup)
    figures = cgroup.stats(everything=True)
    assert figures.cpu.usage_ns > 0
    assert figures.memory.usage > 0
    assert figures.memory.swap.limit == 96 * _MIB
    assert figures.pids == 1
    assert figures.cpuset.effective_cpus == "0"
    assert figures.cpu.pressure is not None and figures.memory.pressure is not None
    assert figures.block.pressure is not None
    process.kill()
    process.wait()


# --- the tree -----------------------------------------------------------------------------------------


def test_limits_of_several_levels(driver: CgroupDriver) -> None:
    driver.ensure_parent(f"/{_PARENT}/a/b")
    cgroup, warnings = driver.create(f"{_PARENT}/a/b/c", _LIMITS, strict=True)
    assert warnings == ()
    cgroup.remove()
    assert (_directory(cgroup).parent / "cgroup.subtree_control").read_text().split() != []


def test_a_parent_with_processes_hands_nothing_down(driver: CgroupDriver) -> None:
    driver.ensure_parent(_PARENT)
    busy = Path(driver.host.root) / _PARENT / "busy"
    busy.mkdir()
    with _stray() as pid:
        (busy / "cgroup.procs").write_text(str(pid))
        with pytest.raises(
            NotSupported, match=r"/linux/resources/pids/limit: .*busy: it has 1 process\(es\) of its own"
        ):
            driver.create(f"{_PARENT}/busy/child", LinuxResources(pids=LinuxPids(5)), strict=True)
        assert not (busy / "child").exists()
        assert (busy / "cgroup.type").read_text() == "domain\n"
        cgroup, warnings = driver.create(f"{_PARENT}/busy/child", LinuxResources(pids=LinuxPids(5)))
        assert warnings == (
            "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.",
        )
        cgroup.remove()


def test_a_threaded_parent_is_refused(driver: CgroupDriver) -> None:
    threaded = Path(driver.host.root) / f"{_PARENT}-threaded"
    threaded.mkdir()
    try:
        (threaded / "cgroup.type").write_text("threaded")
        with pytest.raises(CgroupError, match="cannot enter cgroupv2"):
            driver.create(f"{_PARENT}-threaded/child", LinuxResources())
        assert not (threaded / "child").exists()
    finally:
        threaded.rmdir()


def test_a_group_in_use_is_not_taken(driver: CgroupDriver, cgroup: Cgroup) -> None:
    process = _sleeper(cgroup)
    with pytest.raises(CgroupError, match=r"is not empty: 1 process\(es\) found"):
        driver.create(cgroup.name, LinuxResources())
    assert cgroup.processes() == [process.pid]
    process.kill()
    process.wait()


def test_v1_words_without_a_v2_file(driver: CgroupDriver) -> None:
    resources = LinuxResources(memory=LinuxMemory(swappiness=10), cpu=LinuxCpu(realtime_runtime=1000))
    assert [limit.field for limit in driver.missing(resources)] == ["/memory/swappiness", "/cpu/realtimeRuntime"]
    with pytest.raises(NotSupported, match="/linux/resources/memory/swappiness: "):
        driver.create(f"{_PARENT}/old", resources, strict=True)
    assert not driver.open(f"{_PARENT}/old").exists()
