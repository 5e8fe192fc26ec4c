"""`docker exec`: every flag, seen from inside."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.isolation.conftest import resident
from tests.support.daemon import DOCKER, PrivateDaemon

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def web(engine: PrivateDaemon) -> Iterator[str]:
    yield from resident(
        engine, "exec-web", "-u", "bob", "-w", "/tmp", "-e", "KEPT=1", "--cap-drop", "CHOWN", "-m", "64m"
    )


@pytest.mark.parametrize(
    ("flags", "script", "expected"),
    [
        ((), "id -un; pwd; echo $KEPT", ["bob", "/tmp", "1"]),
        (("-u", "root"), "id -u", ["0"]),
        (("-u", "1000:777"), "id -u; id -g", ["1000", "777"]),
        (("-u", "bob:wheel"), "id -gn", ["wheel"]),
        (("-w", "/etc"), "pwd", ["/etc"]),
        (("-e", "KEPT=2", "-e", "NEW=3"), "echo $KEPT $NEW", ["2 3"]),
        (("-u", "root"), "grep CapEff /proc/self/status", ["CapEff:\t00000000a80425fa"]),
        ((), "grep Seccomp: /proc/self/status", ["Seccomp:\t2"]),
        (("--privileged",), "grep Seccomp: /proc/self/status", ["Seccomp:\t0"]),
        ((), "cat /proc/1/comm", ["sleep"]),
    ],
)
def test_exec(engine: PrivateDaemon, web: str, flags: tuple[str, ...], script: str, expected: list[str]) -> None:
    assert engine.docker("exec", *flags, web, "sh", "-c", script).stdout.splitlines() == expected


def test_a_privileged_one_has_what_the_engine_has(engine: PrivateDaemon, web: str) -> None:
    own = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff"))
    shown = engine.docker("exec", "--privileged", "-u", "root", web, "grep", "CapEff", "/proc/self/status").stdout
    assert shown.strip() == own


def test_environment_from_a_file(engine: PrivateDaemon, web: str, tmp_path: Path) -> None:
    (tmp_path / "env").write_text("# comment\nFROM_FILE=4\n")
    shown = engine.docker("exec", "--env-file", str(tmp_path / "env"), web, "sh", "-c", "echo $FROM_FILE").stdout
    assert shown == "4\n"


def test_same_namespaces_and_groups(engine: PrivateDaemon, web: str) -> None:
    script = "cat /proc/{}/cgroup; cd /proc/{}/ns; for kind in *; do readlink $kind; done"
    first = engine.docker("exec", "-u", "root", "--privileged", web, "sh", "-c", script.replace("{}", "1")).stdout
    own = engine.docker("exec", "-u", "root", "--privileged", web, "sh", "-c", script.replace("{}", "self")).stdout
    assert own == first


def test_input(engine: PrivateDaemon, web: str) -> None:
    assert engine.docker("exec", "-i", web, "cat", input="typed").stdout == "typed"
    assert engine.docker("exec", web, "cat", input="not passed on").stdout == ""


def test_detached(engine: PrivateDaemon, web: str) -> None:
    assert engine.docker("exec", "-d", web, "sh", "-c", "echo $$ > /dev/shm/detached").stdout == ""
    script = "until [ -s /dev/shm/detached ]; do :; done; cat /dev/shm/detached"
    assert int(engine.docker("exec", web, "sh", "-c", script).stdout) > 1


@pytest.mark.parametrize(
    ("flags", "command", "code", "text"),
    [
        (("-u", "nobody-here"), "true", 126, "unable to find user nobody-here: no matching entries in passwd file"),
        (("-u", "bob:nogroup"), "true", 126, "unable to find group nogroup: no matching entries in group file"),
        (("-w", "/nope"), "true", 126, 'chdir to cwd ("/nope") set in config.json failed: no such file or directory'),
        (("-w", "relative"), "true", 1, "the working directory 'relative' is invalid, it needs to be an absolute path"),
        ((), "no-such-program", 127, 'exec: "no-such-program": executable file not found in $PATH'),
        ((), "/etc/passwd", 126, 'exec: "/etc/passwd": permission denied'),
        (("--detach-keys", "nonsense"), "true", 1, "Invalid detach keys (nonsense) provided"),
    ],
)
def test_refused(engine: PrivateDaemon, web: str, flags: tuple[str, ...], command: str, code: int, text: str) -> None:
    result = engine.docker("exec", *flags, web, command, check=False)
    assert (result.returncode, text in result.stdout + result.stderr) == (code, True), result


def test_terminal_and_detach_keys(engine: PrivateDaemon, web: str) -> None:
    """The keys leave the process alone: it is still there afterwards."""
    assert DOCKER is not None
    ours, theirs = pty.openpty()
    command = [DOCKER, "-H", engine.host, "exec", "-it", "--detach-keys", "ctrl-x,q", web, "sh"]
    client = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, start_new_session=True)
    os.close(theirs)
    try:
        os.write(ours, b"tty; echo $((40 + 2)) > /dev/shm/typed; echo do''ne\n")
        shown = _read_until(ours, b"done\r\n")
        assert b"/dev/pts/" in shown
        os.write(ours, b"\x18q")
        assert client.wait(10) == 1
    finally:
        client.kill()
        client.communicate()
        os.close(ours)
    assert engine.docker("exec", web, "cat", "/dev/shm/typed").stdout == "42\n"
    assert "sh" in engine.docker("exec", web, "ps", "-o", "comm").stdout.split()
    engine.docker("exec", "-u", "root", web, "killall", "-9", "sh")


def _read_until(terminal: int, marker: bytes) -> bytes:
    shown = b""
    deadline = time.monotonic() + 10
    while marker not in shown:
        readable, _, _ = select.select([terminal], [], [], deadline - time.monotonic())
        assert readable, shown
        shown += os.read(terminal, 4096)
    return shown
