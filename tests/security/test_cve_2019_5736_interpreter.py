"""CVE-2019-5736: a container reaches the runtime's program through /proc and overwrites it.

Ours would be the host's Python. The zygote runs from a sealed copy, init is not dumpable, and imports are locked, so
neither the file nor the code of what enters a container is the container's to choose.
"""

from __future__ import annotations

import os

import pytest
from tests.support.launching import Bench, Connection

pytestmark = pytest.mark.root


async def test_supervisor_runs_from_a_file_that_nobody_can_write(bench: Bench) -> None:
    task = await bench.start(bench.plan("c", ["sleep", "1000"]))
    directory = bench.launcher.task_directory("c")
    with open(f"{directory}/pid") as file:
        supervisor = int(file.read().split()[1])
    assert os.readlink(f"/proc/{supervisor}/exe").startswith("/memfd:")
    with pytest.raises(OSError):
        os.open(f"/proc/{supervisor}/exe", os.O_WRONLY | os.O_TRUNC)
    await task.kill(9)
    await task.wait()


async def test_init_and_exec_are_invisible_to_the_container(bench: Bench) -> None:
    """While an exec joins, a watcher inside may not open its memory or descriptors."""
    watcher = "while :; do for p in /proc/[2-9]*; do ls $p/fd >/dev/null 2>&1 && readlink $p/exe; done; done"
    with Connection() as client:
        task = await bench.start(bench.plan("c", ["sh", "-c", watcher]), client.attachment)
        client.handed_over()
        for number in range(20):
            await task.exec(bench.exec_plan(f"e{number}", ["true"]), [])
        await task.kill(9)
        seen = await client.read_all()
        await task.wait()
    assert b"python" not in seen
    assert b"memfd" not in seen
