"""`docker update`: every limit changes while the container runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e.isolation.conftest import CGROUPS, flags_id, resident
from tests.support.daemon import PrivateDaemon

pytestmark = [pytest.mark.root, pytest.mark.cgroup1]
_MB = 1 << 20


@pytest.fixture(scope="module")
def limited(engine: PrivateDaemon, cgroup_version: int) -> Iterator[str]:
    if cgroup_version != 1:
        pytest.skip("the files are those of cgroup v1")
    yield from resident(engine, "limited", "-m", "100m", "--cpu-quota", "60000")


@pytest.mark.parametrize(
    ("flags", "files"),
    [
        (["-m", "64m"], {"memory/memory.limit_in_bytes": str(64 * _MB)}),
        (
            ["-m", "300m", "--memory-swap", "400m"],
            {
                "memory/memory.limit_in_bytes": str(300 * _MB),
                "memory/memory.memsw.limit_in_bytes": str(400 * _MB),
            },
        ),
        (["--memory-swap", "-1"], {"memory/memory.memsw.limit_in_bytes": str((1 << 63) - 4096)}),
        (["--memory-reservation", "10m"], {"memory/memory.soft_limit_in_bytes": str(10 * _MB)}),
        (["--cpu-shares", "200"], {"cpu/cpu.shares": "200"}),
        (["--cpu-quota", "30000"], {"cpu/cpu.cfs_quota_us": "30000", "cpu/cpu.cfs_period_us": "100000"}),
        (["--cpu-period", "50000"], {"cpu/cpu.cfs_quota_us": "30000", "cpu/cpu.cfs_period_us": "50000"}),
        (["--cpuset-cpus", "0"], {"cpuset/cpuset.cpus": "0"}),
        (["--cpuset-mems", "0"], {"cpuset/cpuset.mems": "0"}),
        (["--pids-limit", "44"], {"pids/pids.max": "44"}),
        (["--pids-limit", "-1"], {"pids/pids.max": "max"}),
        (["--blkio-weight", "200"], {"blkio/blkio.bfq.weight": "200"}),
    ],
    ids=flags_id,
)
def test_update(engine: PrivateDaemon, limited: str, flags: list[str], files: dict[str, str]) -> None:
    result = engine.docker("update", *flags, limited)
    if "discarded" in result.stdout:
        pytest.skip(result.stdout.splitlines()[-1])
    read = engine.docker("exec", limited, "sh", "-c", f"cd {CGROUPS}; cat {' '.join(files)}")
    assert read.stdout.splitlines() == list(files.values())


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--cpus", "1"], "Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set"),
        (["-m", "1m"], "Minimum memory limit allowed is 6MB"),
        (["--cpuset-cpus", "99"], "Requested CPUs are not available - requested 99"),
    ],
)
def test_refused(engine: PrivateDaemon, limited: str, flags: list[str], text: str) -> None:
    result = engine.docker("update", *flags, limited, check=False)
    assert result.returncode == 1 and text in result.stderr


def test_cpus_and_memory_against_what_is_set(engine: PrivateDaemon) -> None:
    engine.docker("create", "--name", "set", "--cpus", "0.5", "-m", "10m", "busybox", "true")
    try:
        for flags, text in (
            (["--cpu-quota", "80000"], "CPU Quota cannot be updated as NanoCPUs has already been set"),
            (["-m", "30m"], "Memory limit should be smaller than already set memoryswap limit"),
        ):
            result = engine.docker("update", *flags, "set", check=False)
            assert "Cannot update container " in result.stderr and text in result.stderr
        engine.docker("update", "--cpus", "0.8", "set")
        cpus = engine.docker("inspect", "-f", "{{.HostConfig.NanoCpus}}", "set").stdout
        assert cpus == "800000000\n"
    finally:
        engine.docker("rm", "set")
