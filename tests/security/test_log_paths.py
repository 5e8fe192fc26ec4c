"""Log files are files of ours: a link in their place leads nowhere (as a checkpoint's log that was a link did)."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from windlass.launch.log_file import open_log
from windlass.launch.log_reader import logs_job
from windlass.spec.task import LogPlan


@pytest.mark.parametrize("format_", ["json", "local"])
def test_a_link_is_not_written_through(tmp_path: Path, format_: str) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"keep")
    (tmp_path / "log").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        open_log(LogPlan(path=str(tmp_path / "log"), format=format_))
    assert victim.read_bytes() == b"keep"


@pytest.mark.parametrize("name", ["log", "log.1", "log.1.gz"])
def test_a_link_is_not_read_through(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b'{"log":"secret\\n","stream":"stdout","time":"t"}\n')
    (tmp_path / name).symlink_to(secret)
    ours, theirs = socket.socketpair()
    with pytest.raises(OSError, match="symbolic links"):
        logs_job({"path": str(tmp_path / "log"), "framed": False}, [theirs.detach()])
    assert ours.recv(100) == b""
    ours.close()
