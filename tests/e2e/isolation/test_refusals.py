"""Limits that contradict themselves or the host, and warnings about what is left out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest
from tests.e2e.isolation.conftest import flags_id
from tests.support.daemon import PrivateDaemon

pytestmark = pytest.mark.root


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["-m", "5m"], "Minimum memory limit allowed is 6MB"),
        (
            ["-m", "20m", "--memory-swap", "10m"],
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ),
        (["--memory-swap", "10m"], "You should always set the Memory limit when using Memoryswap limit, see usage"),
        (["--memory-reservation", "1m"], "Minimum memory reservation allowed is 6MB"),
        (
            ["-m", "10m", "--memory-reservation", "20m"],
            "Minimum memory limit can not be less than memory reservation limit, see usage",
        ),
        (["--memory-swappiness", "101"], "Valid memory swappiness range is 0-100"),
        (["--cpus", "99"], "Range of CPUs is from 0.01 to"),
        (["--cpus", "1", "--cpu-period", "1000"], "Nano CPUs and CPU Period cannot both be set"),
        (["--cpus", "1", "--cpu-quota", "1000"], "Nano CPUs and CPU Quota cannot both be set"),
        (["--cpu-period", "999"], "CPU cfs period can not be less than 1ms (i.e. 1000)"),
        (["--cpu-quota", "999"], "CPU cfs quota can not be less than 1ms (i.e. 1000)"),
        (["--cpuset-cpus", "99"], "Requested CPUs are not available - requested 99, available: "),
        (["--cpuset-cpus", "a"], "Invalid value a for cpuset cpus"),
        (["--cpuset-mems", "99"], "Requested memory nodes are not available - requested 99, available: "),
        (["--device-read-bps", "/dev/no-such-disk:1mb"], "stat /dev/no-such-disk: no such file or directory"),
        (["--blkio-weight-device", "/dev/no-such-disk:100"], "stat /dev/no-such-disk: no such file or directory"),
        (["--cgroup-parent", "../../outside"], "invalid cgroup path"),
    ],
    ids=flags_id,
)
def test_refused(refused: Callable[..., str], flags: list[str], text: str) -> None:
    assert text in refused(*flags)


def test_nothing_is_left_of_what_was_refused(engine: PrivateDaemon, refused: Callable[..., str]) -> None:
    before = engine.docker("ps", "-aq").stdout
    refused("--cpuset-cpus", "99")
    refused("--sysctl", "net.no.such=1")
    refused("--oom-score-adj", "2000")
    assert engine.docker("ps", "-aq").stdout == before


def test_warnings_are_in_the_answer(engine: PrivateDaemon) -> None:
    """What nobody can have is left out, and said."""
    body = json.dumps({"Image": "busybox", "Cmd": ["true"], "HostConfig": {"CpuPercent": 50, "KernelMemory": 50 << 20}})
    head = "POST /containers/create HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n{body}"
    answer = json.loads(engine.request(request.encode()).partition(b"\r\n\r\n")[2])
    engine.docker("rm", answer["Id"])
    memory, percent = answer["Warnings"]
    assert memory.startswith("Your kernel does not support kernel memory limit capabilities")
    assert percent == "linux does not support CPU percent. Percent discarded."


def test_a_plain_container_has_no_warnings(engine: PrivateDaemon) -> None:
    assert engine.docker("run", "--rm", "busybox", "true").stderr == ""


def test_the_oom_killer_off_without_a_limit(engine: PrivateDaemon, cgroup_version: int) -> None:
    result = engine.docker("run", "--rm", "--oom-kill-disable", "busybox", "true")
    text = (
        "OOM killer is disabled for the container, but no memory limit is set" if cgroup_version == 1 else "discarded"
    )
    assert text in result.stderr


def test_info_says_what_the_host_can(engine: PrivateDaemon, cgroup_version: int) -> None:
    info = json.loads(engine.docker("info", "--format", "{{json .}}").stdout)
    assert info["NCPU"] == os.cpu_count() and info["InitBinary"] == "windlass"
    assert info["OomKillDisable"] is (cgroup_version == 1)
    assert "name=seccomp,profile=builtin" in info["SecurityOptions"]
    assert ("name=cgroupns" in info["SecurityOptions"]) is (cgroup_version == 2)
