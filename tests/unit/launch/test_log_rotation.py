"""Rotated and compressed files: what is kept, and that readers see every record once."""

from __future__ import annotations

import gzip
import os
import socket
import threading
from pathlib import Path

import pytest

from windlass.launch.log_file import open_log
from windlass.launch.log_reader import logs_job
from windlass.launch.log_rotation import compressed_identity, identity
from windlass.launch.log_source import open_all
from windlass.spec.task import LogPlan


def _read(path: Path, **query: object) -> bytes:
    ours, theirs = socket.socketpair()
    job = {"path": str(path), "framed": False, **query}
    thread = threading.Thread(target=logs_job, args=(job, [theirs.detach()]))
    thread.start()
    data = b""
    while chunk := ours.recv(65536):
        data += chunk
    thread.join()
    ours.close()
    return data


def _write(path: Path, format_: str, count: int, **plan: int) -> list[bytes]:
    log = open_log(LogPlan(path=str(path), format=format_, compress=True, **plan))
    lines = [b"line %d of the log\n" % number for number in range(count)]
    for line in lines:
        log.write("stdout", line)
    log.close()
    return lines


@pytest.mark.parametrize("format_", ["json", "local"])
@pytest.mark.parametrize("tail", [-1, 0, 1, 57, 150, 399, 400, 999])
def test_compressed_files_are_read_and_counted(tmp_path: Path, format_: str, tail: int) -> None:
    lines = _write(tmp_path / "log", format_, 400, max_size=5_000, max_file=100)
    assert len(list(tmp_path.glob("log.*.gz"))) > 2 and not list(tmp_path.glob("log.*[0-9]"))
    wanted = lines if tail < 0 else lines[len(lines) - min(tail, len(lines)) :]
    assert _read(tmp_path / "log", format=format_, tail=tail) == b"".join(wanted)


def test_only_so_many_files_are_kept(tmp_path: Path) -> None:
    lines = _write(tmp_path / "log", "json", 1000, max_size=5_000, max_file=3)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["log", "log.1.gz", "log.2.gz"]
    assert b"".join(lines).endswith(_read(tmp_path / "log"))


def test_a_compressed_file_is_plain_gzip_that_names_what_it_was(tmp_path: Path) -> None:
    lines = _write(tmp_path / "log", "json", 100, max_size=5_000, max_file=9)
    assert gzip.decompress((tmp_path / "log.1.gz").read_bytes()).count(b"\n") < len(lines)
    (source,) = (s for s in open_all(str(tmp_path / "log")) if not s.compressed)
    assert compressed_identity(source.fd) == b"" and len(identity(source.fd)) == 12


def test_one_file_is_met_once_whatever_its_name(tmp_path: Path) -> None:
    """A rotation moves files while they are opened."""
    (tmp_path / "log").write_bytes(b'{"log":"a\\n"}\n')
    os.link(tmp_path / "log", tmp_path / "log.1")
    assert [source.inode for source in open_all(str(tmp_path / "log"))] == [os.stat(tmp_path / "log").st_ino]


def test_rotation_between_its_two_steps_hides_nothing(tmp_path: Path) -> None:
    _write(tmp_path / "log", "json", 100, max_size=5_000, max_file=9)
    (tmp_path / "log").unlink()
    assert _read(tmp_path / "log").startswith(b"line 0 of the log\n")


def test_what_a_killed_compressor_left_is_taken_up(tmp_path: Path) -> None:
    (tmp_path / "log.tmp").write_bytes(b"half")
    (tmp_path / "log.1").write_bytes(b'{"log":"older\\n","stream":"stdout","time":"2"}\n')
    lines = _write(tmp_path / "log", "json", 80, max_size=5_000, max_file=4)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["log", "log.1.gz", "log.2.gz"]
    assert _read(tmp_path / "log") == b"older\n" + b"".join(lines)


def test_a_broken_compressed_file_ends_there(tmp_path: Path) -> None:
    (tmp_path / "log.1.gz").write_bytes(gzip.compress(b'{"log":"x\\n"}\n' * 1000)[:20])
    (tmp_path / "log").write_bytes(b'{"log":"y\\n","stream":"stdout"}\n')
    assert _read(tmp_path / "log") == b"y\n"
