"""Our `ps` beside the host's."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from windlass.base.errors import InvalidParameter
from windlass.engine.containers.top import processes
from windlass.engine.processes.options import parse_options
from windlass.engine.processes.read import read_processes

pytestmark = pytest.mark.skipif(shutil.which("ps") is None, reason="no ps on this host")


class _Group:
    """A control group of some processes."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids

    def processes(self) -> list[int]:
        return list(self._pids)


@pytest.fixture(scope="module")
def sleeper() -> Iterator[int]:
    """A process that does nothing, and is there when this returns."""
    process = subprocess.Popen(["sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    while Path(f"/proc/{process.pid}/comm").read_text() != "sleep\n":
        continue
    yield process.pid
    process.kill()
    process.wait()
    process.stdout.close()


def _ours(pid: int, options: str) -> tuple[str, list[str]]:
    view = parse_options(options)
    rows = processes(_Group(pid), view)  # type: ignore[arg-type]
    return " ".join(column.title for column in view.columns), [" ".join(row) for row in rows]


@pytest.mark.parametrize(
    "options",
    [
        "-ef",
        "-e",
        "-j",
        "-eLf",
        "-eT",
        "ax",
        "aux",
        "axj",
        "-F",
        "-eo pid,comm",
        "-o pid,ppid,args=X",
        "-o pid,ruser=REAL",
        "-O ppid",
        "axo user,pid,%mem,cmd",
        "-o pid,euser,ruser,euid,egid,egroup,tty,tt,tname,pgrp,sess,sid,tgid,vsz,sz,rss,f,s,c",
        "-o pid,pri,opri,ni,cls,rtprio,stat,nlwp,lwp,tid,spid,thcount,ppid,tpgid",
        "-o pid,netns,mntns,utsns,ipcns,pidns,userns,cgroupns",
        "-o pid,bsdtime,cputime,times,pending,blocked,ignored,caught,min_flt,maj_flt,trs,drs",
    ],
)
def test_titles_and_figures_are_those_of_ps(sleeper: int, options: str) -> None:
    lines = subprocess.run(
        ["ps", *options.split(), *(("-p", str(sleeper)) if options.startswith(("-o", "-O", "-j", "-F")) else ())],
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C", "COLUMNS": "1000"},
    ).stdout.splitlines()
    expected = [" ".join(line.split()) for line in lines[1:] if str(sleeper) in line.split() and " ps " not in line]
    titles, rows = _ours(sleeper, options)
    assert titles == " ".join(lines[0].split())
    assert rows == expected


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("-o colour", 'unknown user-defined format specifier "colour"'),
        ("-o", "option 'o' needs a value"),
        ("-o ,", "empty format list"),
        ("--sort", "option 'sort' needs a value"),
        ("--sort colour", 'unknown user-defined format specifier "colour"'),
        ("-Q", "option 'Q' is not supported"),
        ("--everything", "option --everything is not supported"),
    ],
)
def test_what_is_not_there_is_refused(options: str, text: str) -> None:
    with pytest.raises(InvalidParameter, match=text):
        parse_options(options)


def test_choices_and_order() -> None:
    sleepers = [subprocess.Popen(["sleep", "1000"]) for _ in range(3)]
    pids = [process.pid for process in sleepers]
    group = _Group(*pids)
    try:

        def shown(options: str) -> list[int]:
            return [int(row[0]) for row in processes(group, parse_options(options))]  # type: ignore[arg-type]

        assert shown("-o pid --sort=-pid") == sorted(pids, reverse=True)
        assert shown(f"-o pid -p {pids[1]}") == [pids[1]]
        assert shown(f"-o pid -p {pids[0]},{pids[2]}") == sorted((pids[0], pids[2]))
        assert shown("-o pid -u 0") == shown("-o pid -u root") == sorted(pids)
        assert shown("-o pid -C nothing") == []
    finally:
        for process in sleepers:
            process.kill()
            process.wait()


def test_names_that_write_on_the_terminal_are_made_harmless(tmp_path: Path) -> None:
    program = tmp_path / "x\x1b[2J) S 1 ("
    shutil.copy("/bin/sh", program)
    process = subprocess.Popen([str(program), "-c", "read x", "a\x1b]0;b"], stdin=subprocess.PIPE)
    try:
        [found] = read_processes([process.pid], threads=False)
        assert found.name == "x?[2J) S 1 ("
        assert found.number(1) > 1
        assert found.arguments.endswith("-c read x a?]0;b")
    finally:
        process.kill()
        process.communicate()


def test_who_has_gone_is_left_out() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert read_processes([process.pid], threads=False) == []
