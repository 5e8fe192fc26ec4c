"""The engine where cgroup v2 is all there is, by the API; limits at creation are in `isolation/test_limits.py`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.daemon import PrivateDaemon

docker = pytest.importorskip("docker")

pytestmark = [pytest.mark.root, pytest.mark.cgroup2]

_GROUPS = "/sys/fs/cgroup"
_MB = 1 << 20
_WAIT_S = 20

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def client(engine: PrivateDaemon) -> Iterator[Any]:
    client = docker.DockerClient(base_url=engine.host, timeout=60)
    yield client
    client.close()


@pytest.fixture
def make(client: Any) -> Iterator[Make]:
    """Run containers in the background, and remove them in the end."""
    made = []

    def run(command: str = "exec sleep 1000", **options: Any) -> Any:
        made.append(client.containers.run("busybox", ["sh", "-c", command], detach=True, **options))
        return made[-1]

    yield run
    for container in made:
        container.remove(force=True)


@pytest.fixture
def group(engine: PrivateDaemon) -> Callable[[Any], Path]:
    """Where a container's group is on the host."""
    return lambda container: Path(_GROUPS, engine.cgroup, container.id)


@pytest.fixture
def fuse() -> str:
    """A device that anybody may open, by number."""
    if not Path("/dev/fuse").exists():
        pytest.skip("no /dev/fuse on this host")
    number = os.stat("/dev/fuse").st_rdev
    return f"{os.major(number)} {os.minor(number)}"


def _inside(container: Any, script: str) -> list[str]:
    code, output = container.exec_run(["sh", "-c", script])
    assert code == 0, output
    return list(output.decode().splitlines())


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_engine_says_what_it_found(client: Any) -> None:
    info = client.info()
    assert (info["CgroupVersion"], info["CgroupDriver"]) == ("2", "cgroupfs")
    limits = ("MemoryLimit", "SwapLimit", "CpuCfsPeriod", "CpuCfsQuota", "CPUShares", "CPUSet", "PidsLimit")
    assert {name: info[name] for name in limits} == dict.fromkeys(limits, True)
    assert not info["OomKillDisable"]


def test_a_container_sees_its_own_group_alone(make: Make, group: Callable[[Any], Path]) -> None:
    container = make()
    script = f"cat /proc/1/cgroup; cat {_GROUPS}/cgroup.procs; mkdir {_GROUPS}/x 2>&1; ls -di {_GROUPS}"
    membership, first, *_, refusal, inode = _inside(container, script)
    assert (membership, first) == ("0::/", "1") and "Read-only file system" in refusal
    assert inode.split()[0] == str(group(container).stat().st_ino)


def test_in_the_host_s_cgroup_namespace_it_sees_where_it_is(make: Make, engine: PrivateDaemon) -> None:
    container = make(cgroupns="host")
    assert _inside(container, "cat /proc/1/cgroup") == [f"0::/{engine.cgroup}/{container.id}"]


def test_limits_beside_each_other(make: Make) -> None:
    container = make(mem_limit="32m", memswap_limit="32m", mem_reservation="16m", pids_limit=30, cpu_shares=2048)
    files = "memory.max memory.swap.max memory.low pids.max cpu.weight"
    values = _inside(container, f"cd {_GROUPS}; cat {files}")
    assert values == [str(32 * _MB), "0", str(16 * _MB), "30", "174"]


def test_the_kernel_asks_our_program_about_devices(make: Make, fuse: str) -> None:
    opens = "exec 3<>/tmp/device && echo opened"
    container = make()
    _inside(container, "mknod /tmp/zero c 1 5 && head -c 1 /tmp/zero && mknod /tmp/other c 250 1")
    # Every device may be made, by the default rules; only the listed ones may be opened.
    _inside(container, f"mknod /tmp/device c {fuse}")
    assert b"Operation not permitted" in container.exec_run(["sh", "-c", opens])[1]
    allowed = make(device_cgroup_rules=[f"c {fuse.replace(' ', ':')} rwm"])
    assert _inside(allowed, f"mknod /tmp/device c {fuse}; {opens}") == ["opened"]
    reading = make(device_cgroup_rules=[f"c {fuse.replace(' ', ':')} rm"])
    _inside(reading, f"mknod /tmp/device c {fuse}; exec 3</tmp/device")
    assert b"Operation not permitted" in reading.exec_run(["sh", "-c", opens])[1]


def test_a_device_for_reading_and_a_privileged_one(make: Make, fuse: str) -> None:
    container = make(devices=["/dev/fuse:/dev/other:r"])
    assert _inside(container, "exec 3</dev/other && echo read") == ["read"]
    assert b"Operation not permitted" in container.exec_run(["sh", "-c", "exec 3>/dev/other"])[1]
    privileged = make(privileged=True)
    assert _inside(privileged, "exec 3<>/dev/fuse && echo opened") == ["opened"]


def test_paused_processes_do_not_run(make: Make, group: Callable[[Any], Path], client: Any) -> None:
    container = make("i=0; while :; do i=$((i+1)); done")
    container.pause()
    assert "frozen 1" in (group(container) / "cgroup.events").read_text()
    usage = [client.api.stats(container.id, stream=False, one_shot=True)["cpu_stats"]["cpu_usage"] for _ in range(2)]
    assert usage[0] == usage[1] and usage[0]["total_usage"] > 0
    container.unpause()
    assert "frozen 0" in (group(container) / "cgroup.events").read_text()


def test_a_paused_one_is_killed(make: Make) -> None:
    container = make()
    container.pause()
    container.kill()
    assert container.wait()["StatusCode"] == 137


def test_figures(make: Make, client: Any) -> None:
    script = "dd if=/dev/zero of=/file bs=1M count=4 conv=fsync 2>/dev/null; touch /done; exec sleep 1000"
    container = make(script, mem_limit="64m", pids_limit=50)
    _until(lambda: container.exec_run(["test", "-e", "/done"])[0] == 0)
    stats = client.api.stats(container.id, stream=False)
    memory = stats["memory_stats"]
    assert memory["limit"] == 64 * _MB and 0 < memory["usage"] < 64 * _MB
    # The names are those of v2; clients subtract inactive_file.
    assert {"anon", "file", "inactive_file", "pgmajfault"} <= set(memory["stats"]) and memory["stats"]["file"] > 0
    assert stats["cpu_stats"]["cpu_usage"]["total_usage"] >= stats["precpu_stats"]["cpu_usage"]["total_usage"]
    assert stats["cpu_stats"]["online_cpus"] == 2 and stats["pids_stats"] == {"current": 1, "limit": 50}
    written = [row["value"] for row in stats["blkio_stats"]["io_service_bytes_recursive"] if row["op"] == "write"]
    assert sum(written) >= 4 * _MB


@pytest.mark.parametrize(
    ("change", "files"),
    [
        ({"mem_limit": "48m", "memswap_limit": "64m"}, {"memory.max": str(48 * _MB), "memory.swap.max": str(16 * _MB)}),
        ({"mem_limit": "48m", "memswap_limit": -1}, {"memory.max": str(48 * _MB), "memory.swap.max": "max"}),
        ({"mem_reservation": "8m"}, {"memory.low": str(8 * _MB)}),
        ({"cpu_quota": 25_000, "cpu_period": 50_000}, {"cpu.max": "25000 50000"}),
        ({"cpu_quota": 10_000}, {"cpu.max": "10000 100000"}),
        ({"cpu_shares": 1024}, {"cpu.weight": "100"}),
        ({"cpuset_cpus": "1"}, {"cpuset.cpus": "1"}),
        ({"cpuset_mems": "0"}, {"cpuset.mems": "0"}),
    ],
)
def test_update(make: Make, change: dict[str, Any], files: dict[str, str]) -> None:
    container = make(mem_limit="32m", memswap_limit="32m", cpuset_cpus="0-1", cpu_quota=50_000)
    container.update(**change)
    assert _inside(container, f"cd {_GROUPS}; cat {' '.join(files)}") == list(files.values())


def test_update_of_what_the_sdk_does_not_know(make: Make, engine: PrivateDaemon) -> None:
    container = make()
    engine.docker("update", "--pids-limit", "44", "--cpus", "0.25", "--blkio-weight", "200", container.id)
    files = "pids.max cpu.max io.bfq.weight"
    assert _inside(container, f"cd {_GROUPS}; cat {files}") == ["44", "25000 100000", "default 200"]
    engine.docker("update", "--pids-limit", "-1", container.id)
    assert _inside(container, f"cat {_GROUPS}/pids.max") == ["max"]


def test_a_limit_below_what_is_used_is_refused_or_kept(make: Make) -> None:
    """cgroup v2 takes a limit below the usage and reclaims, or kills; the engine refuses what would kill."""
    script = "x=$(head -c 20000000 /dev/zero | tr '\\0' a); touch /done; while :; do sleep 1; done"
    container = make(script, mem_limit="64m", memswap_limit="64m")
    _until(lambda: container.exec_run(["test", "-e", "/done"])[0] == 0)
    container.update(mem_limit="60m", memswap_limit="60m")
    container.reload()
    assert container.status == "running" and _inside(container, f"cat {_GROUPS}/memory.max") == [str(60 * _MB)]


def test_removal_kills_whatever_is_inside(make: Make, group: Callable[[Any], Path], client: Any) -> None:
    container = make("for i in 1 2 3 4 5 6 7 8; do (setsid sleep 1000 &) ; done; exec sleep 1000", pid_mode="host")
    place = group(container)
    _until(lambda: len((place / "cgroup.procs").read_text().split()) == 9)
    pids = (place / "cgroup.procs").read_text().split()
    container.kill()
    container.wait()
    _until(lambda: not place.exists())
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_the_group_goes_with_the_process(make: Make, group: Callable[[Any], Path]) -> None:
    container = make("true")
    for _ in range(2):
        container.wait()
        _until(lambda: not group(container).exists())
        container.start()
