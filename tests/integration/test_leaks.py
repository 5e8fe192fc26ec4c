"""The watch over tests, itself watched: a leak is named, and what is not ours is not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import leaks


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch, run_directory: Path) -> leaks.HostState:
    monkeypatch.setattr(leaks, "SETTLE_S", 0)
    return leaks.HostState.read(run_directory)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "1000"])
    # The kernel gives a process its name and arguments a moment after its exec is known to have succeeded.
    while Path(f"/proc/{process.pid}/cmdline").read_bytes() != b"sleep\x001000\0":
        continue
    yield process
    process.kill()
    process.wait()


def test_a_process_of_ours_is_named(
    before: leaks.HostState, run_directory: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    assert f"process {sleeper.pid}: sleep (sleep 1000)" in leaks.leaks(before, run_directory, shared_engine=True)


def test_an_orphan_is_known_by_a_file_of_this_run(before: leaks.HostState, run_directory: Path, tmp_path: Path) -> None:
    script = f"sleep 1000 > {tmp_path}/log & echo $!"
    pid = int(subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, check=True).stdout)
    try:
        assert any(
            line.startswith(f"process {pid}:") for line in leaks.leaks(before, run_directory, shared_engine=True)
        )
    finally:
        subprocess.run(["kill", "-9", str(pid)], check=True)


@pytest.mark.root
def test_a_mount_is_named(before: leaks.HostState, run_directory: Path, tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "none", tmp_path], check=True)
    try:
        assert f"mount {tmp_path} (tmpfs none rw)" in leaks.leaks(before, run_directory, shared_engine=True)
    finally:
        subprocess.run(["umount", tmp_path], check=True)
