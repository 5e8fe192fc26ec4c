"""Design law 4: the interpreter is neither charged to nor limited by the container's cgroups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.launching import Bench

pytestmark = [pytest.mark.root, pytest.mark.cgroup1]

_MEMORY = Path("/sys/fs/cgroup/memory")
_PIDS = Path("/sys/fs/cgroup/pids")


@pytest.fixture
def tiny_cgroup() -> list[str]:
    """A 512 KiB memory cgroup and a pids cgroup of one."""
    if not (_MEMORY / "memory.limit_in_bytes").exists() or not (_PIDS / "tasks").exists():
        pytest.skip("no cgroup v1 memory and pids controllers on this host")
    name = f"windlass-test-{os.getpid()}"
    (_MEMORY / name).mkdir()
    (_PIDS / name).mkdir()
    (_MEMORY / name / "memory.limit_in_bytes").write_text(str(512 * 1024))
    (_PIDS / name / "pids.max").write_text("1")
    yield [str(_MEMORY / name / "tasks"), str(_PIDS / name / "tasks")]  # type: ignore[misc]
    (_MEMORY / name).rmdir()
    (_PIDS / name).rmdir()


async def test_a_512_kib_container_starts(bench: Bench, tiny_cgroup: list[str]) -> None:
    output, record = await bench.run(bench.plan("c", ["true"], cgroup_files=tiny_cgroup))
    assert (output, record.exit_code) == (b"", 0)
