"""What may follow the words of an unfinished command line."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from windlass.cli.completing.candidates import Found, complete
from windlass.cli.completing.names import Names
from windlass.cli.completing.scripts import SCRIPTS
from windlass.cli.flags import Values
from windlass.cli.main import GLOBAL_FLAGS, run

NAMES = {
    "running": ["web", "worker"],
    "container": ["old", "web", "worker"],
    "stopped": ["old"],
    "image": ["busybox", "busybox:latest"],
    "network": ["bridge"],
    "volume": ["data"],
    "context": ["default", "far"],
}
SOURCE = Path(__file__).parents[3] / "src"


class FakeNames:
    """Stands in for the names on an engine."""

    def of(self, kind: str) -> list[str]:
        return NAMES.get(kind, [])


def completed(*words: str) -> Found:
    def names_of(_options: Values) -> Names:
        return cast(Names, FakeNames())

    return complete(list(words), GLOBAL_FLAGS, names_of)


@pytest.mark.parametrize(
    ("words", "candidates", "directive"),
    [
        (["exec", ""], ["web", "worker"], 4),
        (["exec", "-it", "wo"], ["worker"], 4),
        (["exec", "-u", "0", "we"], ["web"], 4),
        (["exec", "web", ""], [], 0),
        (["-H", "unix:///x", "container", "start", ""], ["old"], 4),
        (["--context", "f"], ["far"], 4),
        (["rm", "-f", "web", ""], ["old", "worker"], 4),
        (["run", "--rm", "bus"], ["busybox", "busybox:latest"], 4),
        (["run", "--network", ""], ["bridge"], 4),
        (["run", "--network=b"], ["--network=bridge"], 4),
        (["run", "-v", "d"], ["data:"], 2),
        (["cp", "o"], ["old:"], 2),
        (["run", "busybox", ""], [], 0),
        (["run", "--restart", "on"], ["on-failure", "on-failure:"], 6),
        (["ps", "--filter", "sta"], ["status="], 6),
        (["ps", "--filter", "status=pa"], ["status=paused"], 4),
        (["ps", "--filter", "volume="], ["volume=data"], 4),
        (["ps", "--no"], ["--no-trunc"], 4),
        (["ps", ""], [], 4),
        (["volume", "r"], ["rm"], 4),
        (["con"], ["container", "context"], 4),
        (["context", "use", ""], ["default", "far"], 4),
        (["completion", "z"], ["zsh"], 4),
        (["nonsense", ""], [], 4),
        (["exec", "--nonsense", "", ""], [], 0),
    ],
)
def test_candidates(words: list[str], candidates: list[str], directive: int) -> None:
    found = completed(*words)
    shown = [word for word, _ in found.words]
    assert (shown, found.directive) == (candidates, directive)


def test_every_command_is_offered_with_its_summary() -> None:
    offered = dict(completed("").words)
    assert {"run", "ps", "container", "inspect", "version", "completion"} <= set(offered) and all(offered.values())
    assert "__complete" not in offered


def test_no_engine_no_names(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["-H", f"unix://{tmp_path}/absent.sock", "__complete", "exec", ""]) == 0
    assert capfd.readouterr() == (":4\n", "")


def test_an_unknown_shell(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "tcsh"]) == 1
    assert "known are bash, fish, zsh" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("line", "replies"),
    [("windlass volume r", "rm"), ("windlass run --pull=n", "never"), ("windlass ps --filter status=pa", "paused")],
)
def test_in_a_real_bash(line: str, replies: str, tmp_path: Path) -> None:
    program = tmp_path / "windlass"
    main = SOURCE / "windlass" / "__main__.py"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(str(main))} "$@"\n')
    program.chmod(0o755)
    script = SCRIPTS["bash"] + 'COMP_LINE=$1 COMP_POINT=${#1}\n_windlass\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    done = subprocess.run(
        ["bash", "-c", script, "bash", line],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert done.stdout == f"{replies}\n"
