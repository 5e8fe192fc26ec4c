"""The systemd driver with the host's systemd."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator

import pytest

from windlass.cgroups.driver import make_driver
from windlass.cgroups.model import Cgroup, CgroupDriver, CgroupError
from windlass.spec.resources import LinuxCpu, LinuxDeviceCgroup, LinuxMemory, LinuxPids, LinuxResources

pytestmark = [pytest.mark.root, pytest.mark.systemd]

_MIB = 1 << 20
_NAME = "windlasstests-deep.slice:windlass-tests:one"
_PATH = "windlasstests.slice/windlasstests-deep.slice/windlass-tests-one.scope"
_UNIT = "windlass-tests-one.scope"
_LIMITS = LinuxResources(
    memory=LinuxMemory(limit=64 * _MIB, swap=96 * _MIB),
    cpu=LinuxCpu(shares=512, quota=12_345, period=50_000, cpus="0"),
    pids=LinuxPids(20),
    devices=[LinuxDeviceCgroup(False, access="rwm")],
)


@pytest.fixture
def driver() -> Iterator[CgroupDriver]:
    yield make_driver(systemd=True)
    subprocess.run(["systemctl", "stop", "windlasstests.slice"], capture_output=True, check=False)


@pytest.fixture
def cgroup(driver: CgroupDriver) -> Iterator[Cgroup]:
    cgroup, _ = driver.create(_NAME, _LIMITS, strict=True)
    yield cgroup
    cgroup.kill_all()
    cgroup.remove()


def _show(name: str) -> str:
    done = subprocess.run(["systemctl", "show", "-P", name, _UNIT], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _enter(cgroup: Cgroup, program: str = "exec sleep 1000") -> subprocess.Popen[str]:
    """Start a shell that enters as a container's process does."""
    files = [os.open(path, os.O_WRONLY) for path in cgroup.join_files()]
    script = "".join(f"echo 0 >&{fd}; " for fd in files)
    command = ["bash", "-c", f"{script} echo ready; {program}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=files)
    for fd in files:
        os.close(fd)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def _wait_until_only(cgroup: Cgroup, pid: int) -> None:
    deadline = time.monotonic() + 10
    while cgroup.processes() != [pid]:
        assert time.monotonic() < deadline, cgroup.processes()
        time.sleep(0.01)


def test_a_scope_in_nested_slices(cgroup: Cgroup, driver: CgroupDriver) -> None:
    assert cgroup.name == _PATH
    assert cgroup.exists()
    assert _show("ActiveState") == "active"
    assert _show("Slice") == "windlasstests-deep.slice"
    assert _show("Delegate") == "yes"
    assert driver.open(_NAME).name == driver.open(_PATH).name == _PATH


def test_limits_are_known_to_systemd_and_exact_in_the_files(cgroup: Cgroup, driver: CgroupDriver) -> None:
    figures = cgroup.stats(everything=True)
    assert figures.memory.limit == 64 * _MIB
    assert figures.pids_limit == 20
    assert _show("TasksMax") == "20"
    if driver.host.version == 2:
        assert (_show("MemoryMax"), _show("MemorySwapMax")) == (str(64 * _MIB), str(32 * _MIB))
        assert (_show("CPUWeight"), _show("AllowedCPUs")) == ("59", "0")
        # 24.69 % of a CPU are 25 % for systemd.
        assert _show("CPUQuotaPerSecUSec") == "250ms"
        with open(f"{cgroup.mounts()[0].source}/cpu.max") as file:
            assert file.read() == "12345 50000\n"


def test_the_place_is_kept_until_somebody_enters(cgroup: Cgroup) -> None:
    process = _enter(cgroup)
    _wait_until_only(cgroup, process.pid)
    assert _show("ActiveState") == "active"
    with open(f"/proc/{process.pid}/cgroup") as file:
        assert any(line.strip().endswith(_PATH) for line in file)
    process.kill()
    process.wait()
    # An empty scope ends by itself.
    deadline = time.monotonic() + 10
    while _show("ActiveState") == "active":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_device_filter_holds(cgroup: Cgroup) -> None:
    output, _ = _enter(cgroup, "head -c1 /dev/zero | wc -c; cat /dev/kmsg").communicate(timeout=10)
    assert output.startswith("1\n") and "not permitted" in output


def test_limits_survive_a_reload(cgroup: Cgroup) -> None:
    process = _enter(cgroup)
    cgroup.update(LinuxResources(memory=LinuxMemory(limit=48 * _MIB, swap=48 * _MIB), pids=LinuxPids(7)))
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    assert cgroup.stats().memory.limit == 48 * _MIB
    assert cgroup.stats().pids_limit == 7
    assert _show("TasksMax") == "7"
    process.kill()
    process.wait()


def test_a_refused_update_changes_nothing(cgroup: Cgroup) -> None:
    wanted = LinuxResources(pids=LinuxPids(5), cpu=LinuxCpu(cpus="4095"))
    with pytest.raises(CgroupError, match=r"cpuset\.cpus"):
        cgroup.update(wanted)
    assert (cgroup.stats().pids_limit, _show("TasksMax")) == (20, "20")


def test_a_scope_in_use_is_not_taken(cgroup: Cgroup, driver: CgroupDriver) -> None:
    process = _enter(cgroup)
    with pytest.raises(CgroupError, match="is not empty"):
        driver.create(_NAME, LinuxResources())
    assert process.poll() is None
    process.kill()
    process.wait()


def test_freeze_and_remove(cgroup: Cgroup) -> None:
    process = _enter(cgroup)
    cgroup.set_frozen(True)
    assert cgroup.is_frozen()
    cgroup.kill_all()
    assert process.wait(10) == -9
    cgroup.remove()
    assert not cgroup.exists()
    assert _show("LoadState") == "not-found"
    cgroup.remove()


def test_nothing_is_left_of_a_refused_limit(driver: CgroupDriver) -> None:
    with pytest.raises(CgroupError, match=r"cpuset\.cpus"):
        driver.create(_NAME, LinuxResources(cpu=LinuxCpu(cpus="4095")))
    assert not driver.open(_NAME).exists()
    assert _show("LoadState") == "not-found"
