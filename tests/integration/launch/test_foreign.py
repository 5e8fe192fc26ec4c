"""Another runtime under our supervisor, seen from the runtime's side: a script that does what runc does, and less."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import msgspec
import pytest
from tests.support.launching import Bench, Connection

from windlass.linux import mount as m
from windlass.runtime.task import StartFailed
from windlass.spec import plan as ops
from windlass.spec.task import ForeignPlan, ForeignRuntime, ForeignUser, IoPlan, LogPlan, TaskPlan

pytestmark = pytest.mark.root

# Words of the command line land in variables; `create` leaves a process that waits for `start`.
_PARSE = """
seen={seen}
echo "$@" >> $seen/calls
command= bundle= pidfile=
while [ $# -gt 0 ]; do case $1 in
  --root|--log|--log-format|--console-socket) shift;;
  --bundle) bundle=$2; shift;;
  --pid-file) pidfile=$2; shift;;
  -*) ;;
  *) [ "$command" ] || command=$1;;
esac; shift; done
"""
_WORKS = """
case $command in
  create)
    cat /proc/self/mountinfo > $seen/mountinfo
    cp $bundle/config.json $seen/config.json
    ls $(python3 -c 'import json; print(json.load(open("'$bundle'/config.json"))["root"]["path"])') > $seen/root
    exec 3<&0
    (while [ ! -e $seen/started ]; do sleep 0.01; done; echo out; echo err >&2; cat; exit 5) <&3 &
    echo $! > $pidfile;;
  start) touch $seen/started;;
esac
"""


def _plan(bench: Bench, script: str, *, user: str = "", tty: bool = False) -> TaskPlan:
    seen = bench.directory / "seen"
    seen.mkdir()
    program = bench.directory / "runtime"
    program.write_text("#!/bin/sh\n" + _PARSE.format(seen=seen) + script)
    program.chmod(0o755)
    directory = bench.directory / "containers" / "c"
    for part in ("root", "upper", "work"):
        (directory / part).mkdir(parents=True)
    run = bench.launcher.task_directory("c")
    spec = {"ociVersion": "1.0.2", "process": {"cwd": "/", "args": ["x"]}, "root": {"path": f"{directory}/root"}}
    foreign = ForeignPlan(
        ForeignRuntime("fake", str(program), [], str(bench.directory / "state")),
        f"{run}/bundle",
        msgspec.Raw(json.dumps(spec).encode()),
        ForeignUser(user),
        [
            ops.Propagation(m.MS_SLAVE | m.MS_REC),
            ops.OverlayRoot(
                f"{directory}/root",
                str(bench.lower.parent),
                [bench.lower.name],
                f"{directory}/upper",
                f"{directory}/work",
            ),
        ],
    )
    io = IoPlan(tty=tty, stdin=not tty, stdin_once=True)
    log = LogPlan(path=str(directory / "log"))
    return TaskPlan("c", ops.LaunchPlan([]), io, log, f"{run}/exit.json", f"{run}/pid", foreign=foreign)


def _calls(bench: Bench) -> list[str]:
    lines = (bench.directory / "seen" / "calls").read_text().splitlines()
    return [line.partition("--log-format json ")[2].split()[0] for line in lines]


async def test_the_process_is_ours_and_the_root_nobody_else_s(bench: Bench) -> None:
    plan = _plan(bench, _WORKS, user="bob")
    output, record = await bench.run(plan, b"typed\n")
    # Two pipes, read as they come: only what went through one of them has an order.
    assert [line for line in output.splitlines() if line != b"err"] == [b"out", b"typed"]
    assert output.splitlines().count(b"err") == 1 and record.exit_code == 5
    assert _calls(bench) == ["create", "start", "delete"]
    seen = bench.directory / "seen"
    assert str(bench.directory / "containers" / "c" / "root") in (seen / "mountinfo").read_text()
    assert str(bench.directory / "containers") not in Path("/proc/self/mountinfo").read_text()
    assert "bin" in (seen / "root").read_text().split()
    process = json.loads((seen / "config.json").read_text())["process"]
    assert process["user"]["uid"] == 1000 and process["env"] == ["HOME=/home/bob"]
    assert not os.path.exists(f"{bench.launcher.task_directory('c')}/bundle")


@pytest.mark.parametrize(
    ("script", "tty", "message"),
    [
        ("exit 3", False, "create exited with status 3"),
        ('[ $command = create ] && { echo "no such thing" >&2; exit 1; }', False, "^no such thing$"),
        ("exit 0", False, "the runtime did not hand over its process: .*No such file"),
        ("[ $command != create ] || echo nonsense > $pidfile", False, "the runtime did not hand over its process"),
        ("[ $command != create ] || echo $$ > $pidfile", True, "the runtime did not hand over its process"),
        (_WORKS + "[ $command != start ] || exit 4", False, "start exited with status 4"),
    ],
)
async def test_a_runtime_that_fails_leaves_nothing(bench: Bench, script: str, tty: bool, message: str) -> None:
    plan = _plan(bench, script, tty=tty)
    with Connection() as client, pytest.raises(StartFailed, match=message):
        await bench.start(plan, client.attachment)
    assert _calls(bench)[-1] == "delete"
    (bench.directory / "seen" / "started").touch()
    assert os.listdir(bench.launcher.task_directory("c")) == ["task.sock"]


async def test_an_unknown_user_is_found_before_the_runtime_is_asked(bench: Bench) -> None:
    with Connection() as client, pytest.raises(StartFailed, match="unable to find user nobody-here"):
        await bench.start(_plan(bench, _WORKS, user="nobody-here"), client.attachment)
    assert not (bench.directory / "seen" / "calls").exists()
    assert os.listdir(bench.launcher.task_directory("c")) == ["task.sock"]


async def test_what_a_dead_supervisor_left_is_deleted_by_a_worker(bench: Bench) -> None:
    task = await bench.start(_plan(bench, _WORKS))
    _, supervisor = Path(bench.launcher.task_directory("c"), "pid").read_text().split()
    os.kill(int(supervisor), signal.SIGKILL)
    await bench.lost.wait()
    bundle = f"{bench.launcher.task_directory('c')}/bundle"
    assert await bench.launcher.run_job("delete-foreign", {"bundle": bundle}) == {"error": ""}
    assert _calls(bench) == ["create", "start", "delete"]
    assert not os.path.exists(bundle)
    assert await bench.launcher.run_job("delete-foreign", {"bundle": bundle}) == {"error": ""}
    os.kill(task.pid, signal.SIGKILL)
