"""More processes in a running container."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.support.launching import Bench, Connection

from windlass.runtime.supervisor import SupervisorTask
from windlass.runtime.task import StartFailed

pytestmark = pytest.mark.root


@pytest_asyncio.fixture
async def container(bench: Bench) -> AsyncIterator[SupervisorTask]:
    task = await bench.start(bench.plan("c", ["sleep", "1000"]))
    yield task
    await task.kill(9)
    await task.wait()


async def _exit_code(bench: Bench, exec_id: str) -> int:
    async with asyncio.timeout(10):
        while exec_id not in bench.exec_exits:
            await asyncio.sleep(0)
    return bench.exec_exits[exec_id]


async def test_exec_shares_namespaces_and_reports_its_code(bench: Bench, container: SupervisorTask) -> None:
    with Connection() as client:
        plan = bench.exec_plan("e1", ["sh", "-c", "hostname; cat /proc/1/comm; exit 7"])
        pid = await container.exec(plan, [client.attachment])
        client.handed_over()
        assert pid > 1
        assert await client.read_all() == b"c\nsleep\n"
    assert await _exit_code(bench, "e1") == 7


async def test_exec_of_a_missing_program_leaves_the_connection_to_the_caller(
    bench: Bench, container: SupervisorTask
) -> None:
    with Connection() as client:
        with pytest.raises(StartFailed) as caught:
            await container.exec(bench.exec_plan("e1", ["nope"]), [client.attachment])
        assert caught.value.exit_code == 127
        client.theirs.sendall(b"why")
        client.handed_over()
        assert await client.read_all() == b"why"


async def test_exec_with_terminal_and_input(bench: Bench, container: SupervisorTask) -> None:
    with Connection(stdin=True) as client:
        await container.exec(
            bench.exec_plan("e1", ["sh", "-c", "tty; read x; echo got $x"], tty=True), [client.attachment]
        )
        client.handed_over()
        await client.read_until(b"/dev/pts/")
        await client.type(b"word\n")
        assert b"got word" in await client.read_all()
    assert await _exit_code(bench, "e1") == 0


async def test_exec_can_be_signalled(bench: Bench, container: SupervisorTask) -> None:
    await container.exec(bench.exec_plan("e1", ["sleep", "1000"]), [])
    await container.kill(15, "e1")
    assert await _exit_code(bench, "e1") == 143


async def test_many_execs_at_once(bench: Bench, container: SupervisorTask) -> None:
    async def one(number: int) -> bytes:
        with Connection() as client:
            await container.exec(bench.exec_plan(f"e{number}", ["echo", str(number)]), [client.attachment])
            client.handed_over()
            return await client.read_all()

    outputs = await asyncio.gather(*(one(number) for number in range(20)))
    assert outputs == [f"{number}\n".encode() for number in range(20)]


async def test_exec_that_leaves_a_child_behind_does_not_hang(bench: Bench, container: SupervisorTask) -> None:
    with Connection() as client:
        await container.exec(bench.exec_plan("e1", ["sh", "-c", "sleep 1000 & echo done"]), [client.attachment])
        client.handed_over()
        assert await client.read_all() == b"done\n"
