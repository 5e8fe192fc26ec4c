"""The v1 driver on hierarchies of cgroup v1, beside a v2 tree where the host has one."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from windlass.base.errors import InvalidParameter, NotSupported
from windlass.cgroups.driver import make_driver
from windlass.cgroups.model import CgroupError, CgroupHost
from windlass.cgroups.v1 import V1Cgroup
from windlass.cgroups.v1_driver import V1Driver
from windlass.spec.resources import (
    LinuxBlockIo,
    LinuxCpu,
    LinuxDeviceCgroup,
    LinuxHugepageLimit,
    LinuxInterfacePriority,
    LinuxMemory,
    LinuxNetworkResources,
    LinuxPids,
    LinuxResources,
    LinuxThrottleDevice,
)

pytestmark = [pytest.mark.root, pytest.mark.cgroup1]

_PARENT = "windlass-tests-v1"
_NO_DEVICES = LinuxDeviceCgroup(False, access="rwm")
_KMSG = LinuxDeviceCgroup(True, "c", 1, 11, "rwm")
_MIB = 1 << 20
_LIMITS = LinuxResources(
    memory=LinuxMemory(limit=64 * _MIB, swap=96 * _MIB, reservation=32 * _MIB, swappiness=10),
    cpu=LinuxCpu(shares=512, quota=50_000, period=100_000, burst=10_000),
    pids=LinuxPids(20),
    devices=[_NO_DEVICES],
)


@pytest.fixture
def driver() -> Iterator[V1Driver]:
    driver = make_driver()
    if not isinstance(driver, V1Driver):
        pytest.skip("needs hierarchies of cgroup v1")
    if missing := {"memory", "cpu", "pids", "devices", "freezer"} - set(driver.host.controllers):
        pytest.skip(f"needs the controllers {missing}")
    yield driver
    driver.open(_PARENT).remove()


@pytest.fixture
def cgroup(driver: V1Driver) -> Iterator[V1Cgroup]:
    cgroup, warnings = driver.create(f"{_PARENT}/one", _LIMITS, strict=True)
    assert warnings == ()
    yield cgroup
    cgroup.kill_all()
    cgroup.remove()


def _read(cgroup: V1Cgroup, file: str) -> str:
    return Path(cgroup.path(file.partition(".")[0], file)).read_text().strip()


def _run_inside(cgroup: V1Cgroup, script: str) -> subprocess.CompletedProcess[str]:
    joins = "".join(f"echo 0 > {file}; " for file in cgroup.join_files())
    return subprocess.run(["sh", "-c", joins + script], capture_output=True, text=True, check=False, timeout=30)


@contextmanager
def _stray(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A process that is in no group of ours."""
    command = command or ("sleep", "1000")
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_every_limit_is_in_its_file(cgroup: V1Cgroup) -> None:
    values = {
        "memory.limit_in_bytes": str(64 * _MIB),
        "memory.memsw.limit_in_bytes": str(96 * _MIB),
        "memory.soft_limit_in_bytes": str(32 * _MIB),
        "memory.swappiness": "10",
        "cpu.shares": "512",
        "cpu.cfs_quota_us": "50000",
        "cpu.cfs_period_us": "100000",
        "cpu.cfs_burst_us": "10000",
        "pids.max": "20",
    }
    assert {file: _read(cgroup, file) for file in values} == values


def test_memory_moves_both_ways(cgroup: V1Cgroup) -> None:
    for limit, swap in ((128, 256), (16, 32), (100, 100), (-1, -1), (8, 16)):
        cgroup.update(
            LinuxResources(
                memory=LinuxMemory(limit=limit * _MIB if limit > 0 else -1, swap=swap * _MIB if swap > 0 else -1)
            )
        )
        figures = cgroup.stats(everything=True).memory
        assert (figures.limit, figures.swap.limit) == (max(limit, 0) * _MIB, max(swap, 0) * _MIB)


def test_bandwidth_moves_both_ways(cgroup: V1Cgroup) -> None:
    for quota, period, burst in ((5_000, 10_000, 4_000), (80_000, 90_000, 70_000), (2_000, 900_000, 0), (-1, 1_000, 0)):
        cgroup.update(LinuxResources(cpu=LinuxCpu(quota=quota, period=period, burst=burst)))
        values = [int(_read(cgroup, f"cpu.cfs_{name}_us")) for name in ("quota", "period", "burst")]
        assert values == [quota, period, burst]


def test_kernel_memory_and_the_oom_killer(cgroup: V1Cgroup) -> None:
    cgroup.update(LinuxResources(memory=LinuxMemory(kernel_tcp=8 * _MIB, disable_oom_killer=True, use_hierarchy=True)))
    figures = cgroup.stats(everything=True).memory
    assert figures.kernel_tcp.limit == 8 * _MIB
    assert figures.oom_kill_disabled and figures.hierarchical
    cgroup.update(LinuxResources(memory=LinuxMemory(disable_oom_killer=False)))
    assert not cgroup.stats().memory.oom_kill_disabled


def test_a_limit_that_the_kernel_ignores_is_not_taken_for_one(driver: V1Driver, cgroup: V1Cgroup) -> None:
    missing = cgroup.update(LinuxResources(memory=LinuxMemory(kernel=8 * _MIB)))
    if not missing:
        assert cgroup.stats(everything=True).memory.kernel.limit == 8 * _MIB
        return
    assert [(limit.field, limit.reason) for limit in missing] == [
        ("/memory/kernel", "this kernel ignores memory.kmem.limit_in_bytes")
    ]
    with pytest.raises(NotSupported, match="/linux/resources/memory/kernel: this kernel ignores"):
        driver.create(f"{_PARENT}/kernel", LinuxResources(memory=LinuxMemory(kernel=8 * _MIB)), strict=True)


def test_idle_and_shares_in_one_update(cgroup: V1Cgroup) -> None:
    cgroup.update(LinuxResources(cpu=LinuxCpu(shares=1024, idle=1)))
    assert _read(cgroup, "cpu.idle") == "1"
    cgroup.update(LinuxResources(cpu=LinuxCpu(shares=2048, idle=0)))
    assert (_read(cgroup, "cpu.idle"), _read(cgroup, "cpu.shares")) == ("0", "2048")


def test_throttles_can_be_lifted(cgroup: V1Cgroup) -> None:
    disks = sorted(Path("/sys/block").glob("*/dev"))
    if not disks or not cgroup.directory("blkio"):
        pytest.skip("needs a block device and the blkio controller")
    major, minor = map(int, disks[0].read_text().split(":"))
    for rate, shown in ((4096, f"{major}:{minor} 4096"), (0, "")):
        throttle = LinuxBlockIo(throttle_write_iops_device=[LinuxThrottleDevice(major, minor, rate)])
        cgroup.update(LinuxResources(block_io=throttle))
        assert _read(cgroup, "blkio.throttle.write_iops_device") == shown


# --- refusals -----------------------------------------------------------------------------------------


def test_a_refused_update_changes_nothing(cgroup: V1Cgroup) -> None:
    files = ("pids.max", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.swappiness")
    before = {file: _read(cgroup, file) for file in files}
    memory = LinuxMemory(limit=128 * _MIB, swap=256 * _MIB, swappiness=20)
    wanted = LinuxResources(pids=LinuxPids(5), memory=memory, cpu=LinuxCpu(cpus="4095"), devices=[_NO_DEVICES, _KMSG])
    with pytest.raises(CgroupError, match=r'failed to write "4095" to "/.*/cpuset\.cpus": ') as caught:
        cgroup.update(wanted)
    assert (caught.value.value, os.path.basename(caught.value.path)) == ("4095", "cpuset.cpus")
    assert {file: _read(cgroup, file) for file in files} == before
    assert "c 1:11" not in _read(cgroup, "devices.list")


def test_nothing_is_written_of_values_out_of_range(cgroup: V1Cgroup) -> None:
    with pytest.raises(InvalidParameter, match="/linux/resources/cpu/period"):
        cgroup.update(LinuxResources(pids=LinuxPids(5), cpu=LinuxCpu(period=5)))
    assert _read(cgroup, "pids.max") == "20"


def test_a_limit_below_the_usage_says_how_much_is_used(cgroup: V1Cgroup) -> None:
    joins = "".join(f"echo 0 > {file}; " for file in cgroup.join_files())
    script = f"{joins} x=$(head -c 1000000 /dev/zero | tr '\\0' a); echo ready; read line"
    with _stray("sh", "-c", script) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        with pytest.raises(
            CgroupError, match=r"unable to set memory limit to 4096 \(current usage: \d+, peak usage: \d+\)"
        ):
            cgroup.update(LinuxResources(memory=LinuxMemory(limit=4096)))
    assert _read(cgroup, "memory.limit_in_bytes") == str(64 * _MIB)


def test_raw_values_are_of_v2(driver: V1Driver) -> None:
    with pytest.raises(InvalidParameter, match=r"unified"):
        driver.create(f"{_PARENT}/raw", LinuxResources(unified={"memory.max": "1"}))
    assert not driver.open(f"{_PARENT}/raw").exists()


def test_controllers_that_are_not_mounted(driver: V1Driver) -> None:
    if driver.host.has("net_cls"):
        pytest.skip("needs a host without the net_cls controller")
    wanted = LinuxResources(network=LinuxNetworkResources(class_id=7))
    assert [limit.field for limit in driver.missing(wanted)] == ["/network/classID"]
    with pytest.raises(NotSupported, match="/linux/resources/network/classID: the net_cls controller is not available"):
        driver.create(f"{_PARENT}/net", wanted, strict=True)
    assert not driver.open(f"{_PARENT}/net").exists()
    cgroup, warnings = driver.create(f"{_PARENT}/net", wanted)
    assert warnings == ("network/classID discarded: the net_cls controller is not available.",)
    cgroup.remove()


# --- devices ------------------------------------------------------------------------------------------


def test_devices_change_without_a_window(cgroup: V1Cgroup) -> None:
    """A process that opens /dev/null all the time, which both sets of rules allow, never fails."""
    joins = "".join(f"echo 0 > {file}; " for file in cgroup.join_files())
    script = f"{joins} echo ready; while [ ! -e $0 ]; do : < /dev/null || echo refused; done 2>&1"
    flag = f"/tmp/windlass-tests-{os.getpid()}"
    with _stray("sh", "-c", script, flag) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for extra in ([_KMSG], [], [LinuxDeviceCgroup(True, "c", 10, None, "rw")], [_KMSG]) * 5:
            cgroup.update(LinuxResources(devices=[_NO_DEVICES, *extra]))
        # From denying to allowing by default and back, which forgets every exception on the way.
        cgroup.update(LinuxResources(devices=[LinuxDeviceCgroup(True, access="rwm")]))
        assert _read(cgroup, "devices.list") == "a *:* rwm"
        cgroup.update(LinuxResources(devices=[_NO_DEVICES]))
        assert not cgroup.is_frozen()
        Path(flag).touch()
        try:
            assert process.communicate(timeout=10)[0] == ""
        finally:
            os.unlink(flag)
    assert "not permitted" in _run_inside(cgroup, "cat /dev/kmsg").stderr


def test_a_paused_group_stays_paused_while_devices_change(cgroup: V1Cgroup) -> None:
    with _stray() as process:
        cgroup.add_process(process.pid)
        cgroup.set_frozen(True)
        cgroup.update(LinuxResources(devices=[LinuxDeviceCgroup(True, access="rwm")]))
        assert cgroup.is_frozen()
        cgroup.set_frozen(False)


# --- processes and parents ------------------------------------------------------------------------------


def test_joining_from_outside_with_all_threads(cgroup: V1Cgroup) -> None:
    script = "import threading, sys; threading.Thread(target=sys.stdin.read).start(); print('up', flush=True)"
    command = ["python3", "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "up\n"
        cgroup.add_process(process.pid)
        assert cgroup.processes() == [process.pid]
        for directory in cgroup.directories():
            assert len(Path(directory, "tasks").read_text().split()) == 2
        process.kill()
    with pytest.raises(CgroupError, match="no such process"):
        cgroup.add_process(process.pid)


def test_groups_below_for_one_more_process(cgroup: V1Cgroup) -> None:
    for directory in cgroup.directories():
        os.mkdir(f"{directory}/inner")
    assert all(file.endswith("/one/inner/tasks") for file in cgroup.join_files({"": "inner"}))
    files = cgroup.join_files({"memory": "/inner"})
    assert [file for file in files if "/inner/" in file] == [f"{cgroup.directory('memory')}/inner/tasks"]
    for below, text in (({"": "none"}, "does not exist"), ({"": "../.."}, "is not below"), ({"x": "y"}, "unknown")):
        with pytest.raises(InvalidParameter, match=text):
            cgroup.join_files(below)


def test_parents_of_several_levels_made_by_others(driver: V1Driver) -> None:
    """Without processors in a parent, nobody could enter its children."""
    for point in set(driver.host.controllers.values()):
        os.makedirs(f"{point}/{_PARENT}/theirs")
    cgroup, _ = driver.create(f"/{_PARENT}/theirs/a/b/", LinuxResources())
    assert cgroup.name == f"{_PARENT}/theirs/a/b"
    assert _run_inside(cgroup, "echo inside").stdout == "inside\n"
    assert cgroup.exists()
    cgroup.remove()
    assert not cgroup.exists()
    assert all(os.path.isdir(f"{point}/{_PARENT}/theirs/a") for point in driver.host.controllers.values())


def test_a_group_in_use_is_not_taken(driver: V1Driver, cgroup: V1Cgroup) -> None:
    with _stray() as process:
        cgroup.add_process(process.pid)
        with pytest.raises(CgroupError, match=r"is not empty: 1 process\(es\) found"):
            driver.create(cgroup.name, LinuxResources())
        assert cgroup.processes() == [process.pid]


def test_without_rules_only_the_default_devices_are_there(driver: V1Driver) -> None:
    cgroup, _ = driver.create(f"{_PARENT}/plain", LinuxResources())
    done = _run_inside(cgroup, "head -c1 /dev/zero | wc -c; cat /dev/kmsg")
    assert done.stdout == "1\n" and "not permitted" in done.stderr
    cgroup.remove()


# --- a v2 tree beside v1 --------------------------------------------------------------------------------


def test_a_controller_that_only_v2_has(driver: V1Driver) -> None:
    if "hugetlb" not in driver.host.unified_controllers or not os.path.isdir(
        "/sys/kernel/mm/hugepages/hugepages-2048kB"
    ):
        pytest.skip("needs a v2 tree beside v1 with the hugetlb controller")
    plain, _ = driver.create(f"{_PARENT}/plain", LinuxResources())
    directory = f"{driver.host.unified}/{_PARENT}"
    assert not os.path.exists(directory)
    wanted = LinuxResources(hugepage_limits=[LinuxHugepageLimit("2MB", 4 * _MIB)], pids=LinuxPids(9))
    cgroup, warnings = driver.create(f"{_PARENT}/huge", wanted, strict=True)
    assert warnings == ()
    assert Path(f"{directory}/huge/hugetlb.2MB.max").read_text().strip() == str(4 * _MIB)
    assert f"{directory}/huge/cgroup.procs" in cgroup.join_files()
    with _stray() as process:
        cgroup.add_process(process.pid)
        assert f"0::/{_PARENT}/huge\n" in Path(f"/proc/{process.pid}/cgroup").read_text()
    cgroup.update(LinuxResources(unified={"hugetlb.2MB.max": str(2 * _MIB)}))
    figures = cgroup.stats(everything=True)
    assert (figures.hugetlb["2MB"].limit, figures.pids_limit) == (2 * _MIB, 9)
    cgroup.remove()
    plain.remove()
    assert not os.path.exists(f"{directory}/huge")
    os.rmdir(directory)


# --- hierarchies that few hosts mount -------------------------------------------------------------------


@pytest.fixture
def network_hierarchy(tmp_path: Path) -> Iterator[str]:
    """net_cls and net_prio in a hierarchy of our own, at a place where nobody looks for it."""
    if _kernel_has("net_cls")[:1] != ["0"] or _kernel_has("net_prio")[:1] != ["0"]:
        pytest.skip("needs the controllers net_cls and net_prio, in no hierarchy yet")
    done = subprocess.run(["mount", "-t", "cgroup", "-o", "net_cls,net_prio", "cgroup", tmp_path], check=False)
    if done.returncode:
        pytest.skip("needs a kernel that mounts net_cls and net_prio")
    yield str(tmp_path)
    # Unmounted before the kernel has forgotten the groups, the hierarchy would stay.
    _wait_for(lambda: _kernel_has("net_cls")[1] == "1")
    subprocess.run(["umount", tmp_path], check=True)
    _wait_for(lambda: _kernel_has("net_cls")[0] == "0")


def _wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline, Path("/proc/cgroups").read_text()
        time.sleep(0.01)


def _kernel_has(controller: str) -> list[str]:
    """Hierarchy, number of groups and state of a controller; nothing where the kernel does not have it."""
    for line in Path("/proc/cgroups").read_text().splitlines():
        if line.split()[0] == controller:
            return line.split()[1:]
    return []


def test_marks_and_priorities_of_packets(network_hierarchy: str) -> None:
    host = CgroupHost(1, network_hierarchy, dict.fromkeys(("net_cls", "net_prio"), network_hierarchy))
    network = LinuxNetworkResources(class_id=0x100001, priorities=[LinuxInterfacePriority("lo", 5)])
    cgroup, warnings = V1Driver(host).create(f"{_PARENT}/net", LinuxResources(network=network), strict=True)
    try:
        assert warnings == ()
        assert cgroup.directories() == [f"{network_hierarchy}/{_PARENT}/net"]
        assert _read(cgroup, "net_cls.classid") == str(0x100001)
        assert "lo 5" in _read(cgroup, "net_prio.ifpriomap").splitlines()
        wrong = LinuxNetworkResources(class_id=7, priorities=[LinuxInterfacePriority("nosuch0", 1)])
        with pytest.raises(CgroupError, match=r'failed to write "nosuch0 1" to ".*net_prio\.ifpriomap"'):
            cgroup.update(LinuxResources(network=wrong))
        assert _read(cgroup, "net_cls.classid") == str(0x100001)
    finally:
        V1Driver(host).open(_PARENT).remove()
