"""Our own command line against our own engine, as somebody at a terminal and as a script would use it."""

from __future__ import annotations

import os
import signal
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.daemon import PrivateDaemon, python_command
from tests.support.terminal import Terminal

pytestmark = pytest.mark.root

FREE = ["--network", "none"]


def command(engine: PrivateDaemon, *words: str) -> list[str]:
    return python_command("windlass.cli.main", ["windlass", "-H", engine.host, *words])


@pytest.fixture
def shell(engine: PrivateDaemon) -> Iterator[str]:
    """The name of a running container with a terminal."""
    engine.windlass("run", "-dit", "--name", "shell", *FREE, "busybox", "sh")
    yield "shell"
    engine.windlass("rm", "-f", "shell")


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["busybox", "sh", "-c", "exit 7"], 7, ""),
        (["busybox", "sh", "-c", "sleep 99 & kill -9 $!; wait $!"], 137, ""),
        (["busybox", "nosuch"], 127, 'exec: "nosuch": executable file not found in $PATH'),
        (["busybox", "/etc/passwd"], 126, "permission denied"),
        (
            ["--pull", "never", "nosuch:1"],
            125,
            "windlass: Error response from daemon: No such image: nosuch:1\n\nRun",
        ),
        (["Bad_Name"], 125, "invalid reference format: repository name (library/Bad_Name) must be lowercase"),
        (["--rm=maybe", "busybox"], 125, 'invalid argument "maybe" for "--rm" flag'),
        (["-t", "-i", "busybox"], 1, "the input device is not a TTY"),
    ],
)
def test_exit_codes_of_run(engine: PrivateDaemon, words: list[str], code: int, text: str) -> None:
    done = engine.windlass("run", "--rm", *FREE, *words, check=False, input="")
    assert (done.returncode, text in done.stderr) == (code, True), done.stderr


def test_output_goes_where_it_belongs(engine: PrivateDaemon) -> None:
    done = engine.windlass("run", "--rm", *FREE, "busybox", "sh", "-c", "echo out; echo err >&2")
    assert (done.stdout, done.stderr) == ("out\n", "err\n")
    done = engine.windlass("run", "--rm", "-a", "stderr", *FREE, "busybox", "sh", "-c", "echo out; echo err >&2")
    assert (done.stdout, done.stderr) == ("", "err\n")


def test_a_filter_that_is_fed_and_read_at_once(engine: PrivateDaemon) -> None:
    data = "0123456789abcdef" * (1 << 18)  # 4 MiB: more than all the pipes between us hold
    assert engine.windlass("run", "--rm", "-i", *FREE, "busybox", "cat", input=data).stdout == data


def test_the_id_file(engine: PrivateDaemon, tmp_path: Path) -> None:
    path = tmp_path / "cid"
    shown = engine.windlass("run", "-d", "--rm", "--cidfile", str(path), *FREE, "busybox", "true").stdout
    assert path.read_text() == shown.strip() and len(shown.strip()) == 64
    again = engine.windlass("run", "--cidfile", str(path), "busybox", "true", check=False)
    assert again.returncode == 125 and "container ID file found" in again.stderr


def test_a_person_at_a_shell(engine: PrivateDaemon) -> None:
    terminal = Terminal(command(engine, "run", "--rm", "-it", *FREE, "busybox", "sh"))
    terminal.wait_for(b"# ")
    assert not terminal.local_flags() & (termios.ECHO | termios.ICANON)
    terminal.resize(33, 77)
    terminal.type(b"while [ \"$(stty size)\" != '33 77' ]; do :; done; echo x$((1+1))y\n")
    terminal.wait_for(b"x2y")
    terminal.type(b"exit 5\n")
    assert terminal.finish()[0] == 5


def test_ctrl_c_reaches_the_container(engine: PrivateDaemon) -> None:
    script = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done"
    terminal = Terminal(command(engine, "run", "--rm", "-it", *FREE, "busybox", "sh", "-c", script))
    terminal.wait_for(b"ready")
    terminal.type(b"\x03")
    code, screen = terminal.finish()
    assert code == 9 and b"caught" in screen


def test_detaching_and_coming_back(engine: PrivateDaemon) -> None:
    terminal = Terminal(command(engine, "run", "-it", "--name", "left", *FREE, "busybox", "sh"))
    terminal.wait_for(b"# ")
    terminal.type(b"\x10")
    terminal.type(b"\x11")
    assert terminal.finish()[0] == 0
    assert engine.windlass("inspect", "-f", "{{.State.Running}}", "left").stdout == "true\n"
    terminal = Terminal(command(engine, "attach", "--detach-keys", "ctrl-x,d", "left"))
    terminal.type(b"echo a$((2+2))b\n")
    terminal.wait_for(b"a4b")
    terminal.type(b"\x18d")
    code, screen = terminal.finish()
    assert code == 1 and b"read escape sequence" in screen
    terminal = Terminal(command(engine, "attach", "left"))
    terminal.type(b"exit 6\n")
    assert terminal.finish()[0] == 6
    engine.windlass("rm", "left")


def test_the_terminal_is_restored_when_we_are_told_to_end(engine: PrivateDaemon, shell: str) -> None:
    terminal = Terminal(command(engine, "attach", shell))
    terminal.type(b"echo x$((1+1))y\n")
    terminal.wait_for(b"x2y")
    os.kill(terminal.pid, signal.SIGTERM)
    code, _ = terminal.finish()
    assert code == 128 + signal.SIGTERM


def test_signals_are_passed_on(engine: PrivateDaemon) -> None:
    script = "trap 'echo term; exit 8' TERM; echo ready; while :; do sleep 0.1; done"
    words = command(engine, "run", "--rm", *FREE, "busybox", "sh", "-c", script)
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == b"term\n"
        assert process.wait(20) == 8


def test_exec(engine: PrivateDaemon, shell: str) -> None:
    done = engine.windlass("exec", "-e", "A=b", "-w", "/tmp", shell, "sh", "-c", "echo $A $PWD; exit 9", check=False)
    assert (done.stdout, done.returncode) == ("b /tmp\n", 9)
    assert engine.windlass("exec", "-i", shell, "cat", input="through").stdout == "through"
    assert engine.windlass("exec", shell, "nosuch", check=False).returncode in (126, 127)
    terminal = Terminal(command(engine, "exec", "-it", shell, "sh"))
    terminal.wait_for(b"# ")
    terminal.type(b"exit 4\n")
    assert terminal.finish()[0] == 4


def test_start_attached(engine: PrivateDaemon) -> None:
    engine.windlass("create", "-i", "--name", "cat", *FREE, "busybox", "sh", "-c", "cat; exit 3")
    done = engine.windlass("start", "-ai", "cat", input="hello\n", check=False)
    assert (done.stdout, done.returncode) == ("hello\n", 3)
    assert engine.windlass("logs", "cat").stdout == "hello\n"
    assert engine.windlass("wait", "cat").stdout == "3\n"
    engine.windlass("rm", "cat")


def test_listing_and_removing_several(engine: PrivateDaemon) -> None:
    names = [f"many{number}" for number in range(4)]
    for name in names:
        engine.windlass("run", "-d", "--name", name, "--label", "many=1", *FREE, "busybox", "sleep", "1000")
    shown = engine.windlass("ps", "--filter", "label=many", "--format", "{{.Names}} {{.State}}").stdout
    assert sorted(shown.splitlines()) == [f"{name} running" for name in names]
    done = engine.windlass("rm", "-f", *names, "absent")
    assert done.stdout.split() == names and "No such container: absent" in done.stderr
    assert engine.windlass("ps", "-aq", "--filter", "label=many").stdout == ""


def test_an_attached_run_survives_the_engine(own_engine: PrivateDaemon) -> None:
    for words in ([], ["--rm"]):
        script = "echo started; read a; echo got $a; exit 7"
        line = command(own_engine, "run", *words, "-i", *FREE, "busybox", "sh", "-c", script)
        with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None and process.stdout is not None
            assert process.stdout.readline() == b"started\n"
            own_engine.kill()
            process.stdin.write(b"hello\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"got hello\n"
            own_engine.start()
            assert process.wait(30) == 7
