"""The init of ours that stays above the program (`--init`)."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from tests.support.launching import Bench, Connection
from tests.support.planned import NAMESPACES, make_exec, make_process, make_spec, make_task, output, remapped

from windlass.runtime.supervisor import SupervisorTask
from windlass.runtime.task import StartFailed
from windlass.spec.runtime import Process, User

pytestmark = pytest.mark.root


def _shell(script: str, **members: object) -> Process:
    return make_process("sh", "-c", script, **members)


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def _only_child(pid: int) -> int:
    async with asyncio.timeout(10):
        while not (found := _children(pid)):
            await asyncio.sleep(0)
    return found[0]


async def _stop(task: SupervisorTask) -> int:
    await task.kill(9)
    return (await task.wait()).exit_code


async def test_it_is_pid_one_and_shows_nothing_of_the_host(bench: Bench) -> None:
    script = """
    echo $$; cat /proc/1/comm; tr '\\0' ' ' < /proc/1/cmdline | sed 's/ *$//'; echo
    ls /proc/1/fd 2>&1 | wc -l; grep -c . /proc/1/maps 2>/dev/null || echo hidden
    """
    found = (await output(bench, make_spec(_shell(script)), init=True)).splitlines()
    assert found[0] == "2"
    assert found[1:3] == ["init", "init"]
    assert found[4].endswith("hidden") or found[4] == "0"


async def test_its_identity_is_the_program_s_and_it_holds_nothing(bench: Bench) -> None:
    spec = make_spec(make_process("sleep", "1000", user=User(1000, 1000), no_new_privileges=True))
    task = await bench.start(make_task(bench, spec, init=True))
    try:
        child = await _only_child(task.pid)
        ours, theirs = (
            dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
            for pid in (task.pid, child)
        )
        for field in ("Uid", "Gid", "Groups", "CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb", "NoNewPrivs"):
            assert ours[field] == theirs[field], field
        assert os.listdir(f"/proc/{task.pid}/fd") == []
        # Few pages of its own: the rest is shared with the zygote.
        rollup = Path(f"/proc/{task.pid}/smaps_rollup").read_text()
        private = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_Dirty"))
        assert private < 4096
        assert Path(f"/proc/{child}/comm").read_text() == "sleep\n"
    finally:
        await _stop(task)


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -TERM $$", 143), ("true", 0)])
async def test_the_exit_code_is_the_program_s(bench: Bench, script: str, code: int) -> None:
    _, record = await bench.run(make_task(bench, make_spec(_shell(script)), init=True))
    assert record.exit_code == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGWINCH, signal.SIGRTMIN + 3])
async def test_signals_reach_the_program(bench: Bench, number: int) -> None:
    with Connection() as client:
        script = f"trap 'echo got; exit 5' {int(number)}; echo ready; while :; do sleep 0.05; done"
        task = await bench.start(make_task(bench, make_spec(_shell(script)), init=True), client.attachment)
        client.handed_over()
        await client.read_until(b"ready")
        await task.kill(number)
        await client.read_until(b"got")
        assert (await task.wait()).exit_code == 5


async def test_a_program_that_ignores_the_signal_of_pid_one_dies(bench: Bench) -> None:
    task = await bench.start(make_task(bench, make_spec(make_process("sleep", "1000")), init=True))
    await _only_child(task.pid)
    await task.kill(signal.SIGTERM)
    assert (await task.wait()).exit_code == 143


async def test_orphans_are_reaped_also_in_a_storm(bench: Bench) -> None:
    # It looks without a fork, so that whoever is there beside the shell and init is an orphan, dead or not yet.
    script = """
    others() {
        for stat in /proc/[0-9]*/stat; do
            read -r pid name rest < $stat || continue
            [ $pid = 1 ] || [ $pid = $$ ] || return 0
        done 2>/dev/null
        return 1
    }
    i=0; while [ $i -lt 300 ]; do (sleep 0 & exit 0); i=$((i+1)); done; wait
    n=0; while [ $n -lt 200 ] && others; do sleep 0.02; n=$((n+1)); done
    others && echo left || echo gone
    """
    assert await output(bench, make_spec(_shell(script)), init=True) == "gone\n"


@pytest.mark.parametrize(("args", "code"), [(["nope"], 127), (["/etc/passwd"], 126)])
async def test_a_program_that_cannot_run_is_reported_as_without(bench: Bench, args: list[str], code: int) -> None:
    failures = []
    for number, init in enumerate((True, False)):
        with pytest.raises(StartFailed) as caught:
            await bench.start(make_task(bench, make_spec(make_process(*args)), f"c{number}", init=init))
        failures.append((caught.value.message, caught.value.exit_code))
    assert failures[0] == failures[1] and failures[0][1] == code


async def test_a_terminal_s_keys_are_for_the_program(bench: Bench) -> None:
    spec = make_spec(_shell("trap 'echo interrupted; exit 9' INT; tty; while :; do sleep 0.05; done", terminal=True))
    with Connection(stdin=True) as client:
        task = await bench.start(make_task(bench, spec, init=True), client.attachment)
        client.handed_over()
        await client.read_until(b"/dev/pts/0")
        await client.type(b"\x03")
        await client.read_until(b"interrupted")
        assert (await task.wait()).exit_code == 9


async def test_execs_and_user_namespaces_do_not_notice(bench: Bench) -> None:
    spec = remapped(make_process("sleep", "1000"))
    task = await bench.start(make_task(bench, spec, init=True))
    try:
        with Connection() as client:
            await task.exec(make_exec(spec, _shell("cat /proc/1/comm; id -u; cat /proc/2/comm")), [client.attachment])
            client.handed_over()
            assert await client.read_all() == b"init\n0\nsleep\n"
    finally:
        assert await _stop(task) == 137


async def test_without_a_pid_namespace_nothing_outlives_it(bench: Bench) -> None:
    spec = make_spec(make_process("sleep", "1000"), namespaces=[name for name in NAMESPACES if name != "pid"])
    task = await bench.start(make_task(bench, spec, init=True))
    child = await _only_child(task.pid)
    await _stop(task)
    async with asyncio.timeout(10):
        while _runs(child):
            await asyncio.sleep(0)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
