"""CVE-2020-15257: a container that shares the host's network reaches control sockets in the abstract namespace."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.entries import Entry
from tests.support.launching import Bench
from tests.support.lowered import lowered

from windlass.runtime.intent import NetworkIntent

pytestmark = pytest.mark.root


def _abstract(text: str) -> set[str]:
    return {fields[-1] for line in text.splitlines() if (fields := line.split()) and fields[-1].startswith("@")}


async def test_the_engine_has_none(bench: Bench) -> None:
    before = _abstract(Path("/proc/net/unix").read_text())
    async with lowered(bench, ["cat", "/proc/net/unix"], network=NetworkIntent("host"), name="shared") as container:
        inside = _abstract(await container.output())
    async with lowered(bench, ["sleep", "1000"], network=NetworkIntent("host")) as container:
        task = await container.start()
        during = _abstract(Path("/proc/net/unix").read_text())
        await task.kill(9)
        await task.wait()
    assert {name for name in (inside | during) - before if "windlass" in name.lower()} == set()
    # Every socket of the engine is a file that only root can reach.
    for path in bench.directory.rglob("*"):
        if path.is_socket():
            assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0


async def test_no_entry_leaves_one_open(entry: Entry) -> None:
    """Nor is there a socket of ours among the descriptors, or in the container's own network namespace."""
    output = await entry.output(["sh", "-c", "ls -l /proc/self/fd /proc/1/fd; cat /proc/net/unix"])
    assert "socket:" not in output
    assert _abstract(output) == set()
