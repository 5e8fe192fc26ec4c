"""Limits, as the container's own control group files have them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.isolation.conftest import CGROUPS, Inside
from tests.support.daemon import DOCKER, PrivateDaemon

pytestmark = [pytest.mark.root, pytest.mark.cgroups]
_MB = 1 << 20
_UNLIMITED = str((1 << 63) - 4096)

# Flags; files and what they say on cgroup v1; on v2.
CASES = {
    "memory": (["-m", "64m"], {"memory/memory.limit_in_bytes": str(64 * _MB)}, {"memory.max": str(64 * _MB)}),
    "swap is as much again": (
        ["-m", "64m"],
        {"memory/memory.memsw.limit_in_bytes": str(128 * _MB)},
        {"memory.swap.max": str(64 * _MB)},
    ),
    "swap": (
        ["-m", "64m", "--memory-swap", "96m"],
        {"memory/memory.memsw.limit_in_bytes": str(96 * _MB)},
        {"memory.swap.max": str(32 * _MB)},
    ),
    "swap without limit": (
        ["-m", "64m", "--memory-swap", "-1"],
        {"memory/memory.memsw.limit_in_bytes": _UNLIMITED},
        {"memory.swap.max": "max"},
    ),
    "reservation": (
        ["--memory-reservation", "32m"],
        {"memory/memory.soft_limit_in_bytes": str(32 * _MB)},
        {"memory.low": str(32 * _MB)},
    ),
    "swappiness": (["--memory-swappiness", "30"], {"memory/memory.swappiness": "30"}, {}),
    "oom killer": (["-m", "64m", "--oom-kill-disable"], {"memory/memory.oom_control": "oom_kill_disable 1"}, {}),
    "cpus": (
        ["--cpus", "0.5"],
        {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"},
        {"cpu.max": "50000 100000"},
    ),
    "quota": (
        ["--cpu-quota", "20000", "--cpu-period", "50000"],
        {"cpu/cpu.cfs_quota_us": "20000", "cpu/cpu.cfs_period_us": "50000"},
        {"cpu.max": "20000 50000"},
    ),
    "shares": (["--cpu-shares", "512"], {"cpu/cpu.shares": "512"}, {"cpu.weight": "59"}),
    "cpuset": (
        ["--cpuset-cpus", "0", "--cpuset-mems", "0"],
        {"cpuset/cpuset.cpus": "0", "cpuset/cpuset.mems": "0"},
        {"cpuset.cpus": "0", "cpuset.mems": "0"},
    ),
    "pids": (["--pids-limit", "20"], {"pids/pids.max": "20"}, {"pids.max": "20"}),
    "no limit of pids": (["--pids-limit", "-1"], {"pids/pids.max": "max"}, {"pids.max": "max"}),
    "weight": (["--blkio-weight", "300"], {"blkio/blkio.bfq.weight": "300"}, {"io.bfq.weight": "default 300"}),
}


@pytest.mark.parametrize("case", CASES)
def test_limit(inside: Inside, control_files: set[str], cgroup_version: int, case: str) -> None:
    flags, *files = CASES[case]
    expected = files[cgroup_version - 1]
    if not expected:
        pytest.skip(f"cgroup v{cgroup_version} has no such limit")
    for file in expected:
        _require(control_files, file)
    lines = inside(*flags, script=f"cd {CGROUPS}; head -n1 -q {' '.join(expected)}")
    assert lines == list(expected.values())


def _require(present: set[str], file: str) -> None:
    if file not in present:
        pytest.skip(f"no {file} in this kernel's control groups")


def test_rates_of_a_device(inside: Inside, cgroup_version: int, loop_device: str) -> None:
    flags = []
    for number, kind in enumerate(("read-bps", "write-bps", "read-iops", "write-iops"), 1):
        flags += [f"--device-{kind}", f"{loop_device}:{number}000"]
    status = os.stat(loop_device).st_rdev
    device = f"{os.major(status)}:{os.minor(status)}"
    if cgroup_version == 2:
        expected = [f"{device} rbps=1000 wbps=2000 riops=3000 wiops=4000"]
        script = f"cat {CGROUPS}/io.max"
    else:
        expected = [f"{device} {rate}" for rate in (1000, 2000, 3000, 4000)]
        names = ("read_bps", "write_bps", "read_iops", "write_iops")
        script = f"cd {CGROUPS}/blkio; cat {' '.join(f'blkio.throttle.{name}_device' for name in names)}"
    assert inside(*flags, script=script) == expected


def test_weight_of_a_device(inside: Inside, control_files: set[str], cgroup_version: int, loop_device: str) -> None:
    file = "blkio/blkio.bfq.weight_device" if cgroup_version == 1 else "io.bfq.weight"
    _require(control_files, file)
    if "[bfq]" not in Path(f"/sys/block/{Path(loop_device).name}/queue/scheduler").read_text():
        pytest.skip("no bfq scheduler in this kernel")
    status = os.stat(loop_device).st_rdev
    lines = inside("--blkio-weight-device", f"{loop_device}:200", script=f"cat {CGROUPS}/{file}")
    assert f"{os.major(status)}:{os.minor(status)} 200" in lines


def test_a_weight_that_the_device_cannot_have_is_named(refused: Callable[..., str], control_files: set[str]) -> None:
    """Its scheduler has no weights: the kernel's refusal comes back with the file and the value."""
    disk = next((name for name in os.listdir("/sys/block") if _has_no_weights(name)), None)
    if disk is None:
        pytest.skip("every disk here has the bfq scheduler")
    _require(control_files, "blkio/blkio.bfq.weight_device")
    text = refused("--blkio-weight-device", f"/dev/{disk}:200")
    number = os.stat(f"/dev/{disk}").st_rdev
    assert f'"{os.major(number)}:{os.minor(number)} 200"' in text and "blkio.bfq.weight_device" in text


def _has_no_weights(name: str) -> bool:
    scheduler = Path(f"/sys/block/{name}/queue/scheduler")
    return os.path.exists(f"/dev/{name}") and scheduler.exists() and "[bfq]" not in scheduler.read_text()


def test_the_scheduler_keeps_to_the_cpuset(inside: Inside) -> None:
    assert inside("--cpuset-cpus", "0", script="grep Cpus_allowed_list /proc/self/status") == ["Cpus_allowed_list:\t0"]


def test_the_kernel_keeps_to_the_limit_of_pids(inside: Inside) -> None:
    """The shell and three sleeps fit; the next one does not."""
    script = "(for i in 1 2 3 4 5 6; do sleep 5 & done) 2>&1; true"
    assert any("fork" in line for line in inside("--pids-limit", "4", script=script))


def test_memory_beyond_the_limit_kills_and_is_told(engine: PrivateDaemon) -> None:
    engine.docker("create", "--name", "hungry", "-m", "8m", "--memory-swap", "8m", "busybox", "tail", "/dev/zero")
    result = engine.docker("start", "-a", "hungry", check=False)
    try:
        assert result.returncode == 137
        state = engine.docker("inspect", "-f", "{{.State.OOMKilled}}", "hungry").stdout
        assert state == "true\n"
    finally:
        engine.docker("rm", "-f", "hungry")


def test_a_container_that_goes_on_tells_too(engine: PrivateDaemon) -> None:
    """One of its processes dies for memory: there is an event at once, and the container runs."""
    script = "tail /dev/zero; sleep 1000"
    engine.docker("run", "-d", "--name", "survivor", "-m", "8m", "--memory-swap", "8m", "busybox", "sh", "-c", script)
    try:
        filters = ["--filter", "container=survivor", "--filter", "event=oom", "--since", "1"]
        watcher = subprocess.Popen(
            [str(DOCKER), "-H", engine.host, "events", *filters, "--format", "{{.Action}}"], stdout=subprocess.PIPE
        )
        try:
            assert watcher.stdout is not None and watcher.stdout.readline() == b"oom\n"
        finally:
            watcher.kill()
            watcher.communicate()
        assert engine.docker("inspect", "-f", "{{.State.Status}}", "survivor").stdout == "running\n"
    finally:
        engine.docker("rm", "-f", "survivor")


@pytest.mark.parametrize(
    ("parent", "seen"),
    [("{own}/nested/deep", "/{own}/nested/deep/"), ("/{own}/absolute", "/{own}/absolute/"), ("", "/{own}/")],
)
def test_cgroup_parent(inside: Inside, engine: PrivateDaemon, parent: str, seen: str) -> None:
    flags = ["--cgroup-parent", parent.format(own=engine.cgroup)] if parent else []
    groups = inside(*flags, "--cgroupns", "host", script="cut -d: -f2- /proc/self/cgroup")
    controlled = [line.partition(":")[2] for line in groups if line.partition(":")[2] != "/"]
    assert controlled and all(path.startswith(seen.format(own=engine.cgroup)) for path in controlled)
