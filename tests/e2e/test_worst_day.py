"""kill -9 of everything, at any moment."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from tests.support.daemon import DOCKER, PrivateDaemon

pytestmark = pytest.mark.root


def _state(engine: PrivateDaemon, name: str) -> dict[str, object]:
    return json.loads(engine.docker("inspect", name).stdout)[0]["State"]  # type: ignore[no-any-return]


def test_containers_outlive_a_killed_daemon(own_engine: PrivateDaemon) -> None:
    engine = own_engine
    engine.docker("run", "-d", "--name", "aa", "busybox", "sh", "-c", "while :; do echo tick; sleep 0.05; done")
    engine.docker("run", "-di", "--name", "ends", "busybox", "sh", "-c", "read x; echo $x; exit 6")
    before = _state(engine, "aa")
    client = subprocess.Popen(
        [str(DOCKER), "-H", engine.host, "attach", "ends"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    _wait_for_event(engine, "ends", "attach")
    engine.kill()
    os.kill(int(str(before["Pid"])), 0)
    assert client.stdin is not None and client.stdout is not None
    client.stdin.write(b"typed without a daemon\n")
    client.stdin.flush()
    assert client.stdout.readline() == b"typed without a daemon\n"
    client.stdin.close()
    client.wait(20)
    engine.start()
    after = _state(engine, "aa")
    assert (after["Pid"], after["StartedAt"], after["Running"]) == (before["Pid"], before["StartedAt"], True)
    ended = _state(engine, "ends")
    assert (ended["Status"], ended["ExitCode"]) == ("exited", 6)
    assert "typed without a daemon" in engine.docker("logs", "ends").stdout
    assert engine.docker("logs", "--tail", "1", "aa").stdout == "tick\n"
    assert engine.docker("exec", "aa", "echo", "in").stdout == "in\n"
    engine.docker("stop", "-t", "0", "aa")
    assert _state(engine, "aa")["ExitCode"] == 137


@pytest.mark.parametrize("ends", ["before the next daemon", "after it came"])
def test_exec_sessions_outlive_the_daemon(own_engine: PrivateDaemon, ends: str) -> None:
    engine = own_engine
    engine.docker("run", "-d", "--name", "host", "busybox", "sleep", "1000")
    command = [str(DOCKER), "-H", engine.host, "exec", "-i", "host", "sh", "-c", "echo up; read x; echo $x; exit 9"]
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert client.stdin is not None and client.stdout is not None
    assert client.stdout.readline() == b"up\n"
    (identity,) = json.loads(engine.docker("inspect", "host").stdout)[0]["ExecIDs"]
    engine.kill()
    if ends == "after it came":
        engine.start()
    client.stdin.write(b"typed\n")
    client.stdin.flush()
    assert client.stdout.readline() == b"typed\n"
    assert client.stdout.read() == b""
    if ends == "before the next daemon":
        engine.start()
    exec_ = json.loads(engine.get(f"/exec/{identity}/json").partition(b"\r\n\r\n")[2])
    assert (exec_["Running"], exec_["ExitCode"]) == (False, 9)
    client.stdin.close()
    client.wait(20)


def test_published_ports_outlive_the_daemon(own_engine: PrivateDaemon) -> None:
    engine = own_engine
    serve = "mkdir /www; echo hello > /www/index.html; httpd -f -p 80 -h /www"
    engine.docker("run", "-d", "--name", "web", "-p", "127.0.0.1:0:80", "busybox", "sh", "-c", serve)
    address = engine.docker("port", "web", "80/tcp").stdout.split()[0]
    engine.docker("exec", "web", "sh", "-c", "until wget -qO- 127.0.0.1:80; do sleep 0.05; done")
    engine.kill()
    fetch = ["busybox", "wget", "-qO-", f"http://{address}/"]
    assert subprocess.run(fetch, capture_output=True, timeout=20).stdout == b"hello\n"
    engine.start()
    assert subprocess.run(fetch, capture_output=True, timeout=20).stdout == b"hello\n"
    engine.docker("rm", "-f", "web")
    host, _, port = address.rpartition(":")
    with socket.socket() as sock:
        sock.bind((host, int(port)))


def test_rm_containers_that_ended_without_a_daemon_are_removed(own_engine: PrivateDaemon) -> None:
    engine = own_engine
    engine.docker("run", "-di", "--rm", "--name", "gone", "busybox", "sh", "-c", "read x")
    pid = int(str(_state(engine, "gone")["Pid"]))
    engine.kill()
    pidfd = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    _wait(pidfd)
    engine.start()
    assert engine.docker("ps", "-aq").stdout == ""


def test_restart_policy_brings_back_what_died_meanwhile(own_engine: PrivateDaemon) -> None:
    engine = own_engine
    engine.docker("run", "-d", "--restart", "always", "--name", "up", "busybox", "sleep", "1000")
    pid = int(str(_state(engine, "up")["Pid"]))
    engine.kill()
    pidfd = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    _wait(pidfd)
    engine.start()
    for _ in range(100):
        state = _state(engine, "up")
        if state["Running"]:
            break
    assert state["Running"] and state["Pid"] != pid


def test_a_killed_zygote_is_replaced(own_engine: PrivateDaemon) -> None:
    engine = own_engine
    engine.docker("run", "-d", "--name", "before", "busybox", "sleep", "1000")
    assert engine.process is not None
    children = Path(f"/proc/{engine.process.pid}/task/{engine.process.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    assert engine.docker("run", "--rm", "busybox", "echo", "after").stdout == "after\n"
    assert _state(engine, "before")["Running"]


def test_killing_the_cli_leaves_the_container_and_nothing_else(own_engine: PrivateDaemon) -> None:
    engine = own_engine
    client = subprocess.Popen(
        [str(DOCKER), "-H", engine.host, "run", "--name", "cc", "busybox", "sh", "-c", "echo up; sleep 1000"],
        stdout=subprocess.PIPE,
    )
    assert client.stdout is not None
    assert client.stdout.readline() == b"up\n"
    client.kill()
    client.wait()
    assert _state(engine, "cc")["Running"]


@pytest.mark.slow
def test_kill_at_any_moment_loses_nothing(own_engine: PrivateDaemon) -> None:
    """Kill the daemon at twenty different moments of a run; each time everything that is listed can be removed."""
    engine = own_engine
    for step in range(20):
        runner = threading.Thread(
            target=engine.docker, args=("run", "-d", "busybox", "sleep", "1000"), kwargs={"check": False}
        )
        runner.start()
        runner.join(0.004 * step)
        engine.kill()
        runner.join()
        engine.start()
        for identity in engine.docker("ps", "-aq").stdout.split():
            engine.docker("rm", "-f", identity)
        assert engine.docker("ps", "-aq").stdout == ""
    leftovers = [path for path in (engine.data_root / "containers").iterdir()]
    assert leftovers == []


def test_a_second_daemon_is_refused(own_engine: PrivateDaemon) -> None:
    from tests.support.daemon import python_command

    result = subprocess.run(
        python_command("windlass.daemon.main", own_engine.argv()), capture_output=True, text=True, timeout=30
    )
    assert result.returncode == 1
    assert "is still running" in result.stderr
    assert own_engine.docker("ps", "-q").returncode == 0


def test_a_full_disk_is_reported_and_corrupts_nothing(tmp_path: Path, image_tar: Path) -> None:
    """The data root is a tmpfs of 24 MB inside a mount namespace of its own."""
    data = tmp_path / "data"
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(data)], check=True)
    engine = PrivateDaemon(tmp_path, number=2)
    try:
        engine.start()
        engine.docker("import", str(image_tar), "busybox")
        big = engine.docker("run", "--name", "big", "busybox", "dd", "if=/dev/zero", "of=/fill", "bs=1M", check=False)
        assert "No space left on device" in big.stderr
        refused = engine.docker("import", str(image_tar), "again", check=False)
        assert refused.returncode == 1 and "no space left on device" in refused.stderr.lower()
        engine.docker("rm", "-f", "big")
        engine.restart()
        assert engine.docker("run", "--rm", "busybox", "echo", "fine").stdout == "fine\n"
        assert engine.docker("images", "-q", "again").stdout == ""
        engine.destroy()
    finally:
        engine.kill()
        subprocess.run(["umount", "-l", str(data)], check=True)


def _wait_for_event(engine: PrivateDaemon, container: str, action: str) -> None:
    """Return once the engine has seen `action` happen to `container`."""
    asked = ("--filter", f"container={container}", "--filter", f"event={action}")
    while not engine.docker("events", "--since", "5m", "--until", f"{time.time():.9f}", *asked).stdout:
        pass


def _wait(pidfd: int) -> None:
    import select

    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(10_000)
    os.close(pidfd)
