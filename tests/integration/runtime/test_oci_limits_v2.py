"""Bundles on cgroup v2: who is charged, what `update` changes, what `events` and `pause` show."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.leaks import OUR_CGROUPS
from tests.support.oci_runtime import OciRuntime, write_bundle

pytestmark = [pytest.mark.root, pytest.mark.cgroup2]

_KIB = 1024


def text(file: str) -> str:
    """A file of the container's group."""
    return Path(f"/sys/fs/cgroup/{OUR_CGROUPS}-{os.getpid()}-c/{file}").read_text().strip()


@pytest.fixture
def running(runtime: OciRuntime, bundle: Path) -> Iterator[OciRuntime]:
    """A container that waits, with limits."""
    resources = {
        "memory": {"limit": 64 << 20, "swap": 64 << 20},
        "pids": {"limit": 20},
        "unified": {"memory.high": str(48 << 20), "io.weight": "default 200"},
    }
    write_bundle(bundle, ["sleep", "1000"], linux__resources=resources)
    runtime.leave("run", "-d", "-b", str(bundle), "c")
    yield runtime
    assert runtime("delete", "--force", "c").returncode == 0


def test_a_512_kib_container_starts_by_run_and_by_create(runtime: OciRuntime, bundle: Path) -> None:
    resources = {"memory": {"limit": 512 * _KIB, "swap": 512 * _KIB}, "pids": {"limit": 1}}
    write_bundle(bundle, ["true"], linux__resources=resources)
    assert runtime.run(bundle).returncode == 0
    runtime.leave("create", "-b", str(bundle), "c")
    # The waiting interpreter is inside, and what it needed was there before it came.
    assert int(text("memory.current")) <= 300 * _KIB
    runtime.start("c")
    assert "oom_kill 0" in text("memory.events").splitlines()
    assert runtime("delete", "c").returncode == 0


def test_life_of_a_container(running: OciRuntime) -> None:
    assert json.loads(running("state", "c").stdout)["status"] == "running"
    assert (text("memory.max"), text("memory.swap.max"), text("pids.max")) == (str(64 << 20), "0", "20")
    assert (text("memory.high"), text("io.weight").splitlines()[0]) == (str(48 << 20), "default 200")
    done = running("exec", "c", "cat", "/proc/self/cgroup")
    assert done.stdout == f"0::/{OUR_CGROUPS}-{os.getpid()}-c\n"
    assert running("kill", "c", "KILL").returncode == 0


def test_update_changes_what_is_said(running: OciRuntime) -> None:
    assert running("update", "--memory", "100m", "--memory-swap", "120m", "--pids-limit", "30", "c").returncode == 0
    assert (text("memory.max"), text("memory.swap.max"), text("pids.max")) == (str(100 << 20), str(20 << 20), "30")
    resources = json.dumps({"cpu": {"quota": 50_000, "period": 100_000}, "unified": {"memory.min": "4096"}})
    done = running("update", "--resources", "-", "c", stdin=None, input=resources)
    assert done.returncode == 0, done.stderr
    assert (text("cpu.max"), text("memory.min"), text("pids.max")) == ("50000 100000", "4096", "30")
    refused = running("update", "--resources", "-", "c", stdin=None, input='{"unified": {"memory.max": "much"}}')
    assert refused.returncode == 1 and "memory.max" in refused.stderr and "much" in refused.stderr
    assert text("memory.max") == str(100 << 20)


def test_a_limit_that_this_version_has_not_is_refused(runtime: OciRuntime, bundle: Path) -> None:
    write_bundle(bundle, ["true"], linux__resources={"memory": {"swappiness": 10}})
    done = runtime.run(bundle)
    assert done.returncode == 1 and "/linux/resources/memory/swappiness" in done.stderr
    assert not list(Path("/sys/fs/cgroup").glob(f"{OUR_CGROUPS}-{os.getpid()}-c"))


def test_statistics_have_the_shape_that_engines_read(running: OciRuntime) -> None:
    data = json.loads(running("events", "--stats", "c").stdout)["data"]
    assert data["memory"]["usage"]["limit"] == 64 << 20 and data["memory"]["usage"]["usage"] > 0
    assert data["memory"]["raw"]["anon"] > 0 and data["cpu"]["usage"]["total"] > 0
    assert data["pids"] == {"current": 1, "limit": 20}
    # Pressure: only cgroup v2 has it.
    assert {"some", "full"} <= set(data["memory"]["psi"])


def test_kills_for_memory_are_events(runtime: OciRuntime, bundle: Path) -> None:
    eats = "sleep 5; x=$(head -c 30000000 /dev/zero | tr '\\0' a); sleep 1000"
    write_bundle(bundle, ["sh", "-c", eats], linux__resources={"memory": {"limit": 8 << 20, "swap": 8 << 20}})
    runtime.leave("run", "-d", "-b", str(bundle), "c")
    with subprocess.Popen(runtime.command("events", "--interval", "100ms", "c"), stdout=subprocess.PIPE) as events:
        assert events.stdout is not None
        kinds = []
        for line in events.stdout:
            kinds.append(json.loads(line)["type"])
            if kinds[-1] == "oom":
                break
        events.kill()
    assert kinds[-1] == "oom"
    assert runtime("delete", "-f", "c").returncode == 0


def test_paused_and_resumed(running: OciRuntime) -> None:
    assert running("pause", "c").returncode == 0
    assert json.loads(running("state", "c").stdout)["status"] == "paused" and text("cgroup.freeze") == "1"
    assert running("resume", "c").returncode == 0
    assert json.loads(running("state", "c").stdout)["status"] == "running" and text("cgroup.freeze") == "0"


@pytest.mark.systemd
def test_a_scope_of_systemd(runtime: OciRuntime, bundle: Path) -> None:
    resources = {"memory": {"limit": 64 << 20}, "cpu": {"shares": 512}}
    path = "system.slice:windlasstests:c"
    write_bundle(bundle, ["sleep", "1000"], linux__resources=resources, linux__cgroupsPath=path)
    runtime.leave("--systemd-cgroup", "run", "-d", "-b", str(bundle), "c")
    try:
        show = ["systemctl", "show", "windlasstests-c.scope", "-p", "MemoryMax,CPUWeight,ActiveState,Delegate"]
        said = subprocess.run(show, capture_output=True, text=True, check=True).stdout.split()
        assert set(said) == {"MemoryMax=67108864", "CPUWeight=59", "ActiveState=active", "Delegate=yes"}
        membership = runtime("exec", "c", "cat", "/proc/1/cgroup").stdout
        assert membership == "0::/system.slice/windlasstests-c.scope\n"
        assert runtime("update", "--memory", "96m", "c").returncode == 0
        said = subprocess.run(show, capture_output=True, text=True, check=True).stdout
        assert "MemoryMax=100663296" in said
    finally:
        assert runtime("delete", "--force", "c").returncode == 0
    assert not Path("/sys/fs/cgroup/system.slice/windlasstests-c.scope").exists()
