"""Commands of a runtime: how they are called, and why they failed."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from windlass.launch import foreign_program
from windlass.launch.foreign_program import Program
from windlass.launch.poller import Poller
from windlass.spec.task import ForeignRuntime


class _Lab:
    """A shell script as the runtime."""

    def __init__(self, directory: Path, script: str) -> None:
        self.path = directory / "runtime"
        self.path.write_text(f"#!/bin/sh\n{script}\n")
        self.path.chmod(0o755)
        self.bundle = directory / "bundle"
        self.bundle.mkdir()
        self.poller = Poller()
        runtime = ForeignRuntime("x", str(self.path), ["--flag"], "/state")
        self.program = Program(self.poller, runtime, str(self.bundle))

    def run(self, *words: str, stdin: int = -1) -> str:
        errors: list[str] = []
        self.program.run(list(words), errors.append, stdin=stdin)
        assert self.program.running == 1
        while not errors:
            self.poller.turn(10)
        assert self.program.running == 0
        return errors[0]


def test_global_options_come_before_the_command(tmp_path: Path) -> None:
    lab = _Lab(tmp_path, f'echo "$@" > {tmp_path}/args')
    assert lab.run("delete", "--force", "id") == ""
    args = (tmp_path / "args").read_text().split()
    log = f"{lab.bundle}/1.log"
    assert args == ["--flag", "--root", "/state", "--log", log, "--log-format", "json", "delete", "--force", "id"]


def test_stdin_is_handed_over(tmp_path: Path) -> None:
    lab = _Lab(tmp_path, f"cat > {tmp_path}/got")
    read, write = os.pipe()
    os.write(write, b"resources")
    os.close(write)
    assert lab.run("update", stdin=read) == ""
    os.close(read)
    assert (tmp_path / "got").read_text() == "resources"


_LOG = """while [ "$1" != --log ]; do shift; done; cat > "$2" <<X
{lines}
X
echo "on stderr" >&2; exit 1"""


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (['{"level":"error","msg":"first"}', '{"level":"error","msg":"the reason"}'], "the reason"),
        (['{"level":"error","msg":"the reason"}', '{"level":"info","msg":"chatter"}', "garbage"], "the reason"),
        (["not json", '{"level":"warning","msg":"only a warning"}'], "on stderr"),
        (['{"level":"fatal","msg":"' + "x" * 9000 + '"}'], "x" * 4096),
    ],
)
def test_the_last_error_of_the_log_is_the_reason(tmp_path: Path, lines: list[str], error: str) -> None:
    lab = _Lab(tmp_path, _LOG.format(lines="\n".join(lines)))
    assert lab.run("create") == error
    assert not os.listdir(lab.bundle)


def test_silence_is_described(tmp_path: Path) -> None:
    lab = _Lab(tmp_path, "exit 3")
    assert lab.run("create") == f"{lab.path} create exited with status 3"


def test_a_program_that_cannot_be_run(tmp_path: Path) -> None:
    lab = _Lab(tmp_path, "")
    lab.path.unlink()
    assert lab.run("create") == f"fork/exec {lab.path}: no such file or directory"


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_program, "TIMEOUT_S", 0.2)
    lab = _Lab(tmp_path, f"sleep 1000 & echo $! > {tmp_path}/child; wait")
    assert "was killed" in lab.run("create")
    child = int((tmp_path / "child").read_text())
    try:
        pidfd = os.pidfd_open(child)
    except ProcessLookupError:
        return
    assert select.select([pidfd], [], [], 10)[0]
    os.close(pidfd)


def test_nothing_of_ours_is_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    script = f"ls -l /proc/self/fd > {tmp_path}/fds; env > {tmp_path}/env; cat /proc/self/status > {tmp_path}/status"
    secret = os.open(tmp_path, os.O_RDONLY)
    lab = _Lab(tmp_path, script)
    assert lab.run("create") == ""
    os.close(secret)
    targets = [line.rpartition("-> ")[2] for line in (tmp_path / "fds").read_text().splitlines() if "->" in line]
    # The script itself and the listed directory are the shell's and ls's own.
    assert [t for t in targets if t.startswith(str(tmp_path)) and not t.endswith(("/fds", "/runtime"))] == []
    assert "SECRET" not in (tmp_path / "env").read_text()
    status = dict(line.split(":\t", 1) for line in (tmp_path / "status").read_text().splitlines() if ":\t" in line)
    ignored = int(status["SigIgn"], 16)
    assert not ignored >> 12 & 1 and not ignored >> 14 & 1, "SIGPIPE and SIGTERM end a program"
    assert int(status["SigBlk"], 16) == 0
