"""The driver of this host on its real hierarchies."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from windlass.cgroups.driver import make_driver
from windlass.cgroups.model import Cgroup, CgroupDriver, CgroupError
from windlass.linux import bpf
from windlass.spec.resources import LinuxCpu, LinuxDeviceCgroup, LinuxMemory, LinuxPids, LinuxResources

pytestmark = [pytest.mark.root, pytest.mark.cgroups]

_PARENT = "windlass-tests"
_LIMITS = LinuxResources(
    memory=LinuxMemory(limit=64 << 20, swap=128 << 20),
    cpu=LinuxCpu(shares=512, quota=50_000, period=100_000),
    pids=LinuxPids(10),
    devices=[LinuxDeviceCgroup(False, access="rwm")],
)


@pytest.fixture
def driver() -> Iterator[CgroupDriver]:
    driver = make_driver()
    yield driver
    driver.open(_PARENT).remove()


@pytest.fixture
def cgroup(driver: CgroupDriver) -> Iterator[Cgroup]:
    cgroup, _ = driver.create(f"{_PARENT}/one", _LIMITS)
    yield cgroup
    cgroup.kill_all()
    cgroup.remove()


def _run_inside(cgroup: Cgroup, script: str) -> subprocess.Popen[str]:
    """Start a shell that joins the group itself and says so."""
    files = cgroup.join_files()

    def join() -> None:
        for file in files:
            with open(file, "w") as handle:
                handle.write("0")

    command = ["sh", "-c", f"echo ready; {script}"]
    process = subprocess.Popen(command, preexec_fn=join, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def test_limits_are_in_place(cgroup: Cgroup, driver: CgroupDriver) -> None:
    stats = cgroup.stats()
    if driver.host.has("pids"):
        assert stats.pids_limit == 10
    if driver.host.has("memory"):
        assert stats.memory.limit == 64 << 20


def test_limits_can_move_both_ways(cgroup: Cgroup, driver: CgroupDriver) -> None:
    if not driver.host.has("memory"):
        pytest.skip("needs the memory controller")
    for size in (256 << 20, 32 << 20):
        cgroup.update(LinuxResources(memory=LinuxMemory(limit=size, swap=size)))
        assert cgroup.stats().memory.limit == size


def test_processes_are_listed_and_killed(cgroup: Cgroup) -> None:
    process = _run_inside(cgroup, "sleep 1000 & sleep 1000 & wait")
    assert process.pid in cgroup.processes()
    cgroup.kill_all()
    assert process.wait(5) == -signal.SIGKILL


def test_a_frozen_group_can_be_killed(cgroup: Cgroup) -> None:
    process = _run_inside(cgroup, "while :; do :; done")
    cgroup.set_frozen(True)
    cgroup.kill_all()
    assert process.wait(5) == -signal.SIGKILL


def test_a_fork_bomb_is_killed(cgroup: Cgroup) -> None:
    process = _run_inside(cgroup, "b() { b | b & }; b 2>/dev/null; while :; do b 2>/dev/null; done")
    cgroup.kill_all()
    process.wait(5)
    cgroup.remove()
    assert cgroup.processes() == []


def test_remove_takes_groups_below_and_is_idempotent(driver: CgroupDriver) -> None:
    cgroup, _ = driver.create(f"{_PARENT}/nested", LinuxResources())
    for file in cgroup.join_files():
        os.mkdir(os.path.join(os.path.dirname(file), "inner"))
    cgroup.remove()
    cgroup.remove()
    assert not any(os.path.exists(file) for file in cgroup.join_files())


def test_a_refused_limit_leaves_nothing(driver: CgroupDriver) -> None:
    if not driver.host.has("cpuset"):
        pytest.skip("needs the cpuset controller")
    with pytest.raises(CgroupError, match=r"cpuset\.cpus"):
        driver.create(f"{_PARENT}/bad", LinuxResources(cpu=LinuxCpu(cpus="4095")))
    assert not any(os.path.exists(file) for file in driver.open(f"{_PARENT}/bad").join_files())


def test_device_filter(cgroup: Cgroup) -> None:
    script = "cat /dev/null && echo null; cat /dev/kmsg 2>&1 | grep -o 'not permitted'"
    process = _run_inside(cgroup, script)
    assert process.communicate()[0].split("\n")[:2] == ["null", "not permitted"]


@pytest.mark.skipif(not os.path.isdir("/sys/fs/cgroup/unified"), reason="needs a v2 tree beside v1")
def test_device_program_is_accepted_and_enforced() -> None:
    from windlass.cgroups.device_program import device_program
    from windlass.cgroups.devices import reduce_rules

    directory = "/sys/fs/cgroup/unified/windlass-tests-bpf"
    os.mkdir(directory)
    try:
        program = bpf.load_device_program(device_program(reduce_rules(_LIMITS.devices)))
        bpf.attach_device_program(directory, program)
        os.close(program)
        script = f"echo 0 > {directory}/cgroup.procs; cat /dev/null && echo null; cat /dev/kmsg"
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
        assert done.stdout == "null\n" and "not permitted" in done.stderr
    finally:
        os.rmdir(directory)
