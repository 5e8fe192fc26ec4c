"""What a container is without its daemon, and without its zygote."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest
from tests.support.launching import Bench, Connection

from windlass.runtime.zygote import ZygoteLauncher

pytestmark = pytest.mark.root


async def test_a_new_daemon_takes_a_container_back(bench: Bench) -> None:
    with Connection(stdin=True) as client:
        task = await bench.start(bench.plan("c", ["cat"], stdin=True), client.attachment)
        client.handed_over()
        pid, started = task.pid, task.started_at_ns
        task.release()
        await bench.launcher.close()

        later = ZygoteLauncher(str(bench.directory / "run"))
        adopted = await later.adopt("c", bench.callbacks())
        assert adopted is not None
        assert (adopted.pid, adopted.started_at_ns) == (pid, started)
        # The session that the first daemon handed over goes on, and so does its input.
        await client.type(b"still here\n")
        assert await client.read_until(b"here\n") == b"still here\n"
        with Connection() as second:
            from windlass.runtime.task import Attachment

            await adopted.attach(Attachment(second.theirs.fileno(), framed=False))
            second.handed_over()
            await client.type(b"both\n", end=True)
            assert await second.read_all() == b"both\n"
        assert (await adopted.wait()).exit_code == 0
        await later.close()


async def test_an_exit_without_a_daemon_is_recorded(bench: Bench) -> None:
    with Connection(stdin=True) as client:
        task = await bench.start(
            bench.plan("c", ["sh", "-c", "read x; echo $x; exit 5"], stdin=True), client.attachment
        )
        client.handed_over()
        task.release()
        await bench.launcher.close()
        await client.type(b"last words\n")
        assert await client.read_all() == b"last words\n"
    record = json.loads(Path(bench.launcher.task_directory("c"), "exit.json").read_text())
    assert record["exit_code"] == 5
    assert "last words" in bench.log_path("c").read_text()
    assert await bench.launcher.adopt("c", bench.callbacks()) is None


async def test_a_killed_zygote_is_started_again_and_containers_go_on(bench: Bench) -> None:
    task = await bench.start(bench.plan("c", ["sleep", "1000"]))
    first = bench.launcher.pid
    pidfd = os.pidfd_open(first)
    os.kill(first, signal.SIGKILL)
    await asyncio.to_thread(_wait_pidfd, pidfd)
    output, _ = await bench.run(bench.plan("d", ["echo", "again"]))
    assert output == b"again\n"
    assert bench.launcher.pid != first
    await task.kill(15)
    await task.kill(9)
    assert (await task.wait()).exit_code == 137


async def test_a_container_does_not_outlive_its_supervisor(bench: Bench) -> None:
    task = await bench.start(bench.plan("c", ["sleep", "1000"]))
    _, supervisor = Path(bench.launcher.task_directory("c"), "pid").read_text().split()
    pidfd = os.pidfd_open(task.pid)
    os.kill(int(supervisor), signal.SIGKILL)
    await asyncio.wait_for(bench.lost.wait(), 10)
    await asyncio.to_thread(_wait_pidfd, pidfd)


async def test_the_interpreter_is_a_sealed_copy(bench: Bench) -> None:
    exe = os.readlink(f"/proc/{bench.launcher.pid}/exe")
    assert exe.startswith("/memfd:")
    with pytest.raises(OSError):
        os.open(f"/proc/{bench.launcher.pid}/exe", os.O_WRONLY)


def _wait_pidfd(pidfd: int) -> None:
    import select

    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(10_000)
    os.close(pidfd)
