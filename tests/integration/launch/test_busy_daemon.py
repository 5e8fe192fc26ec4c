"""A daemon that does not read, and connections of requests that fail."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

import pytest
from tests.support.launching import Bench, Connection

from windlass.launch import wire
from windlass.runtime.task import Attachment, StartFailed

pytestmark = pytest.mark.root


async def test_a_daemon_that_does_not_read_does_not_stop_the_container(bench: Bench) -> None:
    task = await bench.start(bench.plan("c", ["sleep", "1000"]))
    deaf = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    deaf.connect(f"{bench.launcher.task_directory('c')}/task.sock")
    deaf.setblocking(False)
    with pytest.raises(BlockingIOError):
        for sequence in range(100_000):
            wire.send(deaf, wire.Query(seq=sequence))
    with Connection() as client:
        await task.exec(bench.exec_plan("e1", ["echo", "alive"]), [client.attachment])
        client.handed_over()
        assert await client.read_all() == b"alive\n"
    deaf.close()
    await task.kill(signal.SIGKILL)
    assert (await task.wait()).exit_code == 137


async def test_connections_of_failed_requests_are_closed(bench: Bench) -> None:
    task = await bench.start(bench.plan("c", ["sleep", "1000"]))
    with open(f"{bench.launcher.task_directory('c')}/pid") as file:
        supervisor = int(file.read().split()[1])
    before = len(os.listdir(f"/proc/{supervisor}/fd"))
    for number in range(5):
        with Connection() as client:
            with pytest.raises(StartFailed):
                await task.exec(bench.exec_plan(f"e{number}", ["nope"]), [client.attachment])
            client.handed_over()
            assert await asyncio.wait_for(client.read_all(), 10) == b""
    assert len(os.listdir(f"/proc/{supervisor}/fd")) == before
    await task.kill(signal.SIGKILL)
    await task.wait()


async def test_a_stalled_reader_stalls_the_writer_and_loses_nothing(bench: Bench) -> None:
    script = "i=0; while [ $i -lt 20000 ]; do echo line-$i-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done"
    with Connection(framed=False) as client:
        task = await bench.start(bench.plan("c", ["sh", "-c", script]), client.attachment)
        client.handed_over()
        assert (await client.read_until(b"line-0-")).startswith(b"line-0-")
        # Nothing is read for a while: the container cannot have ended, as its output has nowhere to go.
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(task.wait(), 0.5)
        rest = await client.read_all()
        assert (await task.wait()).exit_code == 0
    assert b"line-19999-" in rest
    assert len(bench.log_path("c").read_text().splitlines()) == 20_000


async def test_attachments_of_a_container_that_ends_are_closed(bench: Bench) -> None:
    task = await bench.start(bench.plan("c", ["sh", "-c", "read x"], stdin=True))
    ours, theirs = socket.socketpair()
    await task.attach(Attachment(theirs.fileno(), stdin=True))
    theirs.close()
    ours.sendall(b"\n")
    assert (await task.wait()).exit_code == 0
    ours.settimeout(10)
    assert ours.recv(10) == b""
    ours.close()
