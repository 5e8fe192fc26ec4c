"""One boot of the machine: what a command sees, and what comes back from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.machine.machine import Machine, Outcome, Request
from tools.machine.parts import Parts

pytestmark = pytest.mark.root

SCRIPT = """
echo "$PWD"; stat -fc %T /sys/fs/cgroup; cat /sys/fs/cgroup/cgroup.controllers; stat -fc %T $TMPDIR
touch /etc/machine-was-here && echo overlay
mkdir /mnt/host && mount -t virtiofs host /mnt/host
touch /mnt/host/machine-was-here
mkdir $COLLECT/deep; printf kept > $COLLECT/deep/file
exit 7
"""


def _run(parts: Parts, output: Path, request: Request) -> Outcome:
    with open(output, "wb") as file:
        return Machine(parts, request).run(file.fileno())


def test_a_command(parts: Parts, tmp_path: Path) -> None:
    """It sees the host's files and cgroup v2 alone, writes to neither host nor checkout, and hands its own back."""
    request = Request(("sh", "-c", SCRIPT), "/usr", timeout_s=100, collect=tmp_path / "kept")
    outcome = _run(parts, tmp_path / "output", request)
    lines = (tmp_path / "output").read_text().splitlines()
    assert outcome.status == 7
    assert lines[:2] == ["/usr", "cgroup2fs"]
    assert {"cpuset", "cpu", "io", "memory", "pids", "hugetlb"} <= set(lines[2].split())
    assert lines[3:5] == ["ext2/ext3", "overlay"] and "Read-only file system" in lines[5]
    assert not Path("/etc/machine-was-here").exists() and not Path("/machine-was-here").exists()
    assert (tmp_path / "kept/deep/file").read_text() == "kept"


def test_one_that_never_ends(parts: Parts, tmp_path: Path) -> None:
    outcome = _run(parts, tmp_path / "output", Request(("sleep", "1000"), "/usr", timeout_s=1))
    assert outcome.status is None and outcome.problem == "killed after 1 s"
