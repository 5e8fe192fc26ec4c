"""Log queries against files made by the writer."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from windlass.launch.log_file import open_log
from windlass.launch.log_reader import logs_job
from windlass.spec.task import LogPlan


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = str(tmp_path / "c-json.log")
    writer = open_log(LogPlan(path=path, max_size=400, max_file=5))
    for number in range(10):
        writer.write("stderr" if number % 3 == 2 else "stdout", f"line {number} é\n".encode())
    writer.close()
    return path


def read(path: str, **query: object) -> bytes:
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=logs_job, args=({"path": path, **query}, [theirs.detach()]))
    thread.start()
    data = b""
    while chunk := ours.recv(65536):
        data += chunk
    thread.join()
    ours.close()
    return data


def lines(data: bytes) -> list[str]:
    return data.decode().splitlines()


def test_rotated_files_are_read_in_order(log: str) -> None:
    assert Path(log + ".1").exists()
    assert lines(read(log, framed=False)) == [f"line {n} é" for n in range(10)]


@pytest.mark.parametrize("tail", [0, 1, 4, 9, 10, 99])
def test_tail_counts_across_files(log: str, tail: int) -> None:
    assert lines(read(log, framed=False, tail=tail)) == [f"line {n} é" for n in range(10)][max(0, 10 - tail) :]


def test_streams_are_chosen_and_framed(log: str) -> None:
    assert lines(read(log, framed=False, stdout=False)) == ["line 2 é", "line 5 é", "line 8 é"]
    data = read(log, tail=2)
    assert data == b"\x02\0\0\0\0\0\0\x0aline 8 \xc3\xa9\n" + b"\x01\0\0\0\0\0\0\x0aline 9 \xc3\xa9\n"


def test_timestamps_since_and_until(log: str) -> None:
    stamps = [line.split(" ")[0] for line in lines(read(log, framed=False, timestamps=True))]
    assert stamps == sorted(stamps) and all(len(stamp) == 30 for stamp in stamps)
    assert read(log, framed=False, since_ns=4_000_000_000_000_000_000) == b""
    assert read(log, framed=False, until_ns=1) == b""


def test_torn_and_foreign_lines_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(
        '{"log":"a\\n","stream":"stdout","time":"t"}\n{"log":"torn\nnot json\n{"log":"b\\n"}\n{"log":"unfin'
    )
    assert read(str(path), framed=False) == b"a\nb\n"


def test_follow_ends_with_the_exit_record_and_sees_everything(tmp_path: Path) -> None:
    path, record = str(tmp_path / "log"), tmp_path / "run" / "exit.json"
    record.parent.mkdir()
    writer = open_log(LogPlan(path=path, max_size=2000, max_file=50))
    writer.write("stdout", b"before\n")
    ours, theirs = socket.socketpair()
    query = {"path": path, "follow": True, "framed": False, "record_path": str(record)}
    thread = threading.Thread(target=logs_job, args=(query, [theirs.detach()]))
    thread.start()
    assert ours.recv(7) == b"before\n"
    for number in range(200):
        writer.write("stdout", b"line %d\n" % number)
    writer.close()
    record.write_text("{}")
    data = b""
    while chunk := ours.recv(65536):
        data += chunk
    thread.join()
    assert data.split(b"\n")[:-1] == [b"line %d" % number for number in range(200)]


def test_follow_ends_when_the_client_goes(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    open_log(LogPlan(path=path)).close()
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=logs_job, args=({"path": path, "follow": True}, [theirs.detach()]))
    thread.start()
    ours.close()
    thread.join(10)
    assert not thread.is_alive()


def test_a_missing_log_is_empty(tmp_path: Path) -> None:
    assert read(str(tmp_path / "none")) == b""
