"""CVE-2024-21626 "Leaky Vessels": a working directory through a leaked descriptor is outside the root."""

from __future__ import annotations

import pytest
from tests.support.launching import Bench, Connection
from tests.support.rootfs import PASSWD

from windlass.runtime.task import StartFailed

pytestmark = pytest.mark.root


@pytest.mark.parametrize("number", range(3, 20))
async def test_workdir_through_a_descriptor_is_refused(bench: Bench, number: int) -> None:
    """A descriptor of the container's own root is the one exception, and it leads nowhere else."""
    try:
        output, _ = await bench.run(bench.plan("c", ["cat", "../../../../etc/passwd"], cwd=f"/proc/self/fd/{number}"))
    except StartFailed:
        return
    assert output.decode() == PASSWD


async def test_exec_workdir_through_a_descriptor_is_refused(bench: Bench) -> None:
    task = await bench.start(bench.plan("c", ["sleep", "1000"]))
    try:
        for number in range(3, 20):
            plan = bench.exec_plan(f"e{number}", ["cat", "../../../../etc/hostname"], cwd=f"/proc/self/fd/{number}")
            with Connection() as client:
                try:
                    await task.exec(plan, [client.attachment])
                except StartFailed:
                    continue
                client.handed_over()
                assert b"can't open" in await client.read_all()
    finally:
        await task.kill(9)
        await task.wait()
