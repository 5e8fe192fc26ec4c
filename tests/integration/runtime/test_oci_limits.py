"""Limits of a bundle: who is charged, what `update` changes, what `events` and `pause` show."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.leaks import OUR_CGROUPS
from tests.support.oci_runtime import OciRuntime, write_bundle

pytestmark = [pytest.mark.root, pytest.mark.cgroup1]

_KIB = 1024


def figure(controller: str, file: str) -> int:
    """A file of the container's group."""
    return int(Path(f"/sys/fs/cgroup/{controller}/{OUR_CGROUPS}-{os.getpid()}-c/{file}").read_text())


@pytest.fixture(autouse=True)
def _hierarchies() -> None:
    if not os.path.exists("/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        pytest.skip("no cgroup v1 memory controller on this host")


@pytest.fixture
def running(runtime: OciRuntime, bundle: Path) -> Iterator[OciRuntime]:
    """A container that waits, with limits."""
    write_bundle(bundle, ["sleep", "1000"], linux__resources={"memory": {"limit": 64 << 20}, "pids": {"limit": 20}})
    runtime.leave("run", "-d", "-b", str(bundle), "c")
    yield runtime
    assert runtime("delete", "--force", "c").returncode == 0


def test_a_512_kib_container_starts_by_run_and_by_create(runtime: OciRuntime, bundle: Path) -> None:
    resources = {"memory": {"limit": 512 * _KIB}, "pids": {"limit": 1}}
    write_bundle(bundle, ["true"], linux__resources=resources)
    assert runtime.run(bundle).returncode == 0
    runtime.leave("create", "-b", str(bundle), "c")
    # The waiting interpreter is inside, and what it needed was there before it came.
    assert figure("memory", "memory.usage_in_bytes") <= 300 * _KIB
    runtime.start("c")
    assert figure("memory", "memory.failcnt") == 0
    assert runtime("delete", "c").returncode == 0


def test_update_changes_what_is_said(running: OciRuntime, tmp_path: Path) -> None:
    options = ["--memory", "100m", "--cpu-share", "512", "--pids-limit", "30"]
    assert running("update", *options, "c").returncode == 0
    assert figure("memory", "memory.limit_in_bytes") == 100 << 20
    assert (figure("cpu", "cpu.shares"), figure("pids", "pids.max")) == (512, 30)
    resources = json.dumps({"cpu": {"quota": 50_000, "period": 100_000}})
    done = running("update", "--resources", "-", "c", stdin=None, input=resources)
    assert done.returncode == 0, done.stderr
    assert (figure("cpu", "cpu.cfs_quota_us"), figure("cpu", "cpu.shares")) == (50_000, 512)
    path = tmp_path / "resources.json"
    path.write_text(json.dumps({"memory": {"limit": "much"}}))
    assert "/memory/limit" in running("update", "-r", str(path), "c").stderr
    assert "invalid size" in running("update", "--memory", "much", "c").stderr
    assert figure("memory", "memory.limit_in_bytes") == 100 << 20


def test_statistics_have_the_shape_that_engines_read(running: OciRuntime) -> None:
    event = json.loads(running("events", "--stats", "c").stdout)
    assert (event["type"], event["id"]) == ("stats", "c")
    data = event["data"]
    assert data["memory"]["usage"]["limit"] == 64 << 20 and data["memory"]["usage"]["usage"] > 0
    assert data["memory"]["raw"]["cache"] >= 0 and data["cpu"]["usage"]["total"] > 0
    assert data["pids"] == {"current": 1, "limit": 20}
    assert running("events", "--interval", "0s", "c").stderr == "duration interval must be greater than 0\n"


def test_kills_for_memory_are_events(runtime: OciRuntime, bundle: Path) -> None:
    eats = "sleep 1; x=$(head -c 30000000 /dev/zero | tr '\\0' a); sleep 1000"
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
    assert "stats" in kinds and kinds[-1] == "oom"
    assert runtime("delete", "-f", "c").returncode == 0


def test_paused_and_resumed(running: OciRuntime) -> None:
    assert running("resume", "c").stderr == "container not paused\n"
    assert running("pause", "c").returncode == 0
    assert json.loads(running("state", "c").stdout)["status"] == "paused"
    assert running("pause", "c").stderr == "container not running or created: paused\n"
    assert running("resume", "c").returncode == 0
    assert json.loads(running("state", "c").stdout)["status"] == "running"
    # One that is paused can be killed.
    assert running("pause", "c").returncode == 0
    assert running("kill", "c", "KILL").returncode == 0
    while json.loads(running("state", "c").stdout)["status"] != "stopped":
        continue
