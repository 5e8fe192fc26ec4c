"""`windlass-runtime` and terminals: its own, shown on ours, or handed to a console socket."""

from __future__ import annotations

import os
import socket
import termios
from pathlib import Path

import pytest
from tests.support.oci_runtime import OciRuntime, write_bundle
from tests.support.terminal import Terminal

pytestmark = pytest.mark.root

_SIZE = "stty size"


def test_run_shows_the_terminal_and_returns_the_code(runtime: OciRuntime, bundle: Path) -> None:
    script = f"tty; {_SIZE}; read word; echo got $word; {_SIZE}; exit 4"
    write_bundle(bundle, ["sh", "-c", script], process__terminal=True)
    screen = Terminal(runtime.command("run", "-b", str(bundle), "c"))
    before = screen.local_flags()
    screen.wait_for(b"/dev/pts/0")
    assert not screen.local_flags() & termios.ICANON
    screen.resize(33, 77)
    screen.type(b"words\r")
    screen.wait_for(b"got words")
    screen.wait_for(b"33 77")
    os.waitid(os.P_PID, screen.pid, os.WEXITED | os.WNOWAIT)
    assert screen.local_flags() == before
    assert screen.finish()[0] == 4


def test_exec_shows_a_terminal_too(runtime: OciRuntime, bundle: Path) -> None:
    write_bundle(bundle, ["sleep", "1000"])
    runtime.leave("run", "-d", "-b", str(bundle), "c")
    screen = Terminal(
        runtime.command("exec", "-t", "c", "sh", "-c", "trap 'exit 6' INT; tty; while :; do read x; done")
    )
    screen.wait_for(b"/dev/pts/0")
    screen.type(b"\x03")
    assert screen.finish()[0] == 6
    assert runtime("delete", "-f", "c").returncode == 0


@pytest.mark.parametrize("depth", [1, 8])
def test_a_console_socket_gets_the_master(runtime: OciRuntime, bundle: Path, tmp_path: Path, depth: int) -> None:
    """Also one whose path is longer than a socket's address."""
    directory = tmp_path.joinpath(*["a-long-name-of-a-directory"] * depth)
    directory.mkdir(parents=True)
    write_bundle(
        bundle,
        ["sh", "-c", "stty size; echo end"],
        process__terminal=True,
        process__consoleSize={"height": 20, "width": 60},
    )
    with socket.socket(socket.AF_UNIX) as listener:
        handle = os.open(directory, os.O_PATH)
        listener.bind(f"/proc/self/fd/{handle}/console")
        os.close(handle)
        listener.listen()
        runtime.leave("create", "-b", str(bundle), "--console-socket", str(directory / "console"), "c")
        connection, _ = listener.accept()
        with connection:
            _, fds, _, _ = socket.recv_fds(connection, 64, 1)
    assert runtime("start", "c").returncode == 0
    with open(fds[0], "rb", buffering=0) as master:
        seen = b""
        while b"end" not in seen:
            seen += master.read(100)
    assert seen.split() == [b"20", b"60", b"end"]
    assert runtime("delete", "-f", "c").returncode == 0


def test_terminals_that_nobody_holds_are_refused(runtime: OciRuntime, bundle: Path) -> None:
    write_bundle(bundle, ["true"], process__terminal=True)
    words = "cannot allocate tty if runc will detach without setting console socket\n"
    assert runtime("create", "-b", str(bundle), "c").stderr == words
    assert runtime("run", "-d", "-b", str(bundle), "c").stderr == words
    assert "dial unix /nowhere" in runtime("create", "-b", str(bundle), "--console-socket", "/nowhere", "c").stderr
    write_bundle(bundle, ["true"])
    words = "cannot use console socket if runc will not detach or allocate tty\n"
    assert runtime("create", "-b", str(bundle), "--console-socket", "/nowhere", "c").stderr == words
