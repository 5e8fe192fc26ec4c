"""Cells: whose processes are whose, and nothing left at the end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.cell import Cell, missing_tools

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(bool(missing_tools()), reason=f"needs {', '.join(missing_tools())}"),
]


@pytest.fixture
def cell() -> Iterator[Cell]:
    one = Cell("test")
    yield one
    one.close()


def started(cell: Cell, script: str) -> subprocess.Popen[bytes]:
    """A shell in the cell that has said "ready"."""
    process = subprocess.Popen(cell.inside(["sh", "-c", script]), stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_processes_of_containers_are_told_from_the_engine_s(cell: Cell) -> None:
    with started(cell, "unshare --pid --fork sh -c 'echo ready; read line' & wait") as process:
        # The shell and unshare; the one that reads below.
        try:
            assert len(cell.engine_pids()) == 2
            (container,) = cell.container_pids()
            assert Path(f"/proc/{container}/comm").read_text() == "sh\n"
        finally:
            for pid in cell.container_pids():
                os.kill(pid, signal.SIGKILL)
        process.wait()
    assert cell.engine_pids() == cell.container_pids() == []


def test_the_end_takes_processes_mounts_and_control_groups(tmp_path: Path) -> None:
    cell = Cell("test")
    script = f"""
        mount -t tmpfs tmpfs {tmp_path} && echo x > {tmp_path}/inside
        for place in /sys/fs/cgroup /sys/fs/cgroup/*; do
            child=$place/{cell.cgroup}/child
            [ -e $place/cgroup.procs ] && mkdir -p $child && echo $$ > $child/tasks
        done 2>/dev/null
        echo ready
        exec sleep 600
    """
    with started(cell, script) as process:
        groups = list(Path("/sys/fs/cgroup").glob(f"**/{cell.cgroup}"))
        cell.close()
        assert process.wait() != 0
    assert groups, "no control group was made"
    assert not [group for group in groups if group.exists()]
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_below_hidden_places_stays_inside(cell: Cell) -> None:
    script = "echo x > /etc/wlbench-test && echo x > /var/lib/wlbench-test && echo x > /run/wlbench-test && echo ready"
    started(cell, script).communicate()
    for place in ("/etc", "/var/lib", "/run"):
        assert not Path(place, "wlbench-test").exists()
