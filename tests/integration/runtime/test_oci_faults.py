"""`windlass-runtime` killed at any moment: what is left is known, and `delete --force` ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.support.leaks import OUR_CGROUPS
from tests.support.oci_runtime import OciRuntime, write_bundle

pytestmark = pytest.mark.root

_DELAYS_MS = (5, 12, 18, 24, 30, 36, 42, 48, 55, 65, 80, 100)


def groups() -> list[str]:
    """The containers' control groups that are there."""
    found = subprocess.run(
        ["find", "/sys/fs/cgroup", "-maxdepth", "3", "-name", f"{OUR_CGROUPS}-{os.getpid()}-*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.split()


@pytest.mark.parametrize("verb", ["create", "run"])
def test_killed_while_it_makes_a_container(runtime: OciRuntime, bundle: Path, verb: str) -> None:
    write_bundle(bundle, ["sleep", "1000"])
    for delay in _DELAYS_MS:
        process = subprocess.Popen(
            runtime.command(verb, "-b", str(bundle), "c"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(delay / 1000)
        process.kill()
        process.wait()
        known = runtime("state", "c")
        if known.returncode == 0:
            assert json.loads(known.stdout)["status"] in ("creating", "created", "running", "stopped")
        assert runtime("delete", "--force", "c").returncode == 0
        assert not os.path.exists(runtime.root / "c")
        assert groups() == []


def test_killed_while_it_deletes(runtime: OciRuntime, bundle: Path) -> None:
    write_bundle(bundle, ["sleep", "1000"])
    for delay in (5, 10, 14, 18, 22, 26, 32):
        runtime.leave("run", "-d", "-b", str(bundle), "c")
        process = subprocess.Popen(runtime.command("delete", "--force", "c"))
        time.sleep(delay / 1000)
        process.kill()
        process.wait()
        assert runtime("delete", "--force", "c").returncode == 0
        assert not os.path.exists(runtime.root / "c") and groups() == []


def test_another_process_with_its_pid_is_not_the_container(runtime: OciRuntime, bundle: Path) -> None:
    write_bundle(bundle, ["true"])
    runtime.leave("run", "-d", "-b", str(bundle), "c")
    record = runtime.root / "c" / "state.json"
    stranger = subprocess.Popen(["sleep", "1000"])
    try:
        state = json.loads(record.read_text())
        record.write_text(json.dumps({**state, "pid": stranger.pid}))
        assert json.loads(runtime("state", "c").stdout)["status"] == "stopped"
        assert runtime("kill", "c", "KILL").stderr == "container not running\n"
        assert runtime("delete", "--force", "c").returncode == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_first_process_that_dies_before_its_start(runtime: OciRuntime, bundle: Path) -> None:
    write_bundle(bundle, ["sleep", "1000"])
    runtime.leave("create", "-b", str(bundle), "c")
    os.kill(json.loads(runtime("state", "c").stdout)["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 20
    while json.loads(runtime("state", "c").stdout)["status"] != "stopped":
        assert time.monotonic() < deadline
    assert runtime("start", "c").stderr == "cannot start a container that has stopped\n"
    assert runtime("delete", "c").returncode == 0


def test_a_spoiled_record_is_told_and_does_not_hide_others(runtime: OciRuntime, bundle: Path) -> None:
    write_bundle(bundle, ["true"])
    runtime.leave("run", "-d", "-b", str(bundle), "good")
    runtime.leave("run", "-d", "-b", str(bundle), "bad")
    spoiled = runtime.root / "bad" / "state.json"
    whole = spoiled.read_text()
    for text in ("", "{", "[]", '{"version":99,"id":"bad","bundle":"/","created":"x"}', '{"id":7}'):
        spoiled.write_text(text)
        assert "state.json" in runtime("state", "bad").stderr
        assert runtime("list", "-q").stdout == "good\n"
    spoiled.write_text(whole)
    for name in ("good", "bad"):
        assert runtime("delete", name).returncode == 0


def test_two_commands_at_once_take_turns(runtime: OciRuntime, bundle: Path) -> None:
    write_bundle(bundle, ["sleep", "1000"])
    commands = [
        subprocess.Popen(
            runtime.command("create", "-b", str(bundle), "c"), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        for _ in range(3)
    ]
    statuses = []
    for command in commands:
        assert command.stderr is not None
        statuses.append(command.wait(30))
        command.stderr.close()
    assert sorted(statuses) == [0, 1, 1]
    starts = [subprocess.Popen(runtime.command("start", "c"), stderr=subprocess.DEVNULL) for _ in range(3)]
    assert sorted(start.wait(30) for start in starts) == [0, 1, 1]
    assert runtime("delete", "-f", "c").returncode == 0


def test_many_cycles_leave_nothing(runtime: OciRuntime, bundle: Path) -> None:
    """A short form of a thousand; the watch over all tests looks for what is left."""
    write_bundle(bundle, ["true"])
    before = len(Path("/proc/self/mountinfo").read_text().splitlines())
    for _ in range(10):
        assert runtime.run(bundle).returncode == 0
    for _ in range(3):
        runtime.leave("create", "-b", str(bundle), "c")
        runtime.start("c")
        assert runtime("delete", "c").returncode == 0
    assert groups() == [] and os.listdir(runtime.root) == []
    assert len(Path("/proc/self/mountinfo").read_text().splitlines()) == before
