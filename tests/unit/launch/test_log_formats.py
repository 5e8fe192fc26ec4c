"""Both formats give back what was written, whatever was written."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.launch.log_file import open_log
from windlass.launch.log_lines import MAX_PARTIAL, LineLog, Partial
from windlass.launch.log_read_json import JsonFormat
from windlass.launch.log_read_local import LocalFormat
from windlass.launch.log_reader import logs_job
from windlass.launch.log_records import View
from windlass.spec.task import LogPlan

_BOTH = frozenset(("stdout", "stderr"))
_chunks = st.lists(
    st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=60) | st.sampled_from([b"a\nb\n" * 20, b"\n"]))
)


def _read(path: Path, format_: str) -> bytes:
    ours, theirs = socket.socketpair()
    query = {"path": str(path), "format": format_, "framed": False}
    thread = threading.Thread(target=logs_job, args=(query, [theirs.detach()]))
    thread.start()
    data = b""
    while chunk := ours.recv(65536):
        data += chunk
    thread.join()
    ours.close()
    return data


class _Recorder:
    busy = False

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes, Partial | None]] = []
        self.times: list[int] = []

    def lines(self, stream: str, block: bytes, time_ns: int) -> None:
        assert block.endswith(b"\n")
        self.seen += [(stream, line, None) for line in block[:-1].split(b"\n")]

    def part(self, stream: str, data: bytes, time_ns: int, partial: Partial) -> None:
        self.seen.append((stream, data, partial))
        self.times.append(time_ns)

    def close(self) -> None:
        return


@given(_chunks)
@settings(max_examples=60, deadline=None)
def test_the_local_format_keeps_every_byte(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[tuple[str, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    log = open_log(LogPlan(path=str(path), format="local"))
    for stream, chunk in chunks:
        log.write(stream, chunk)
    log.close()
    format_ = LocalFormat()
    data = path.read_bytes()
    assert format_.complete(data) == len(data)
    runs, _ = format_.render(data, View(_BOTH))
    for name in _BOTH:
        written = b"".join(chunk for stream, chunk in chunks if stream == name)
        assert b"".join(text for stream, text in runs if stream == name) == written


@given(_chunks)
@settings(max_examples=60, deadline=None)
def test_runs_of_json_records_read_like_single_ones(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[tuple[str, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    log = open_log(LogPlan(path=str(path)))
    for stream, chunk in chunks:
        log.write(stream, chunk)
    log.close()
    data = path.read_bytes()
    for view in (View(_BOTH), View(_BOTH, timestamps=True), View(frozenset(("stderr",)))):
        runs, _ = JsonFormat().render(data, view)
        single = [run for line in data.splitlines(keepends=True) for run in JsonFormat().render(line, view)[0]]
        for name in _BOTH:
            assert b"".join(t for s, t in runs if s == name) == b"".join(t for s, t in single if s == name)


@pytest.mark.parametrize("text", [b'a"b', b"a\\nb", b"a\\", b'","stream":"stderr","time":"x"}'])
def test_text_that_looks_like_a_record_is_text(tmp_path: Path, text: bytes) -> None:
    log = open_log(LogPlan(path=str(tmp_path / "log")))
    log.write("stdout", (b"plain\n" + text + b"\n") * 50)
    log.close()
    assert _read(tmp_path / "log", "json") == (b"plain\n" + text + b"\n") * 50


def test_long_lines_come_in_parts() -> None:
    recorder = _Recorder()
    log = LineLog([recorder])
    log.write("stdout", b"first\n" + b"x" * 40_000 + b"\nlast\n" + b"y" * (MAX_PARTIAL - 1) + b"\n")
    log.write("stderr", b"unfinished")
    log.close()
    texts = [(stream, len(data), part and (part.ordinal, part.last)) for stream, data, part in recorder.seen]
    assert texts == [
        ("stdout", 5, None),
        ("stdout", MAX_PARTIAL, (1, False)),
        ("stdout", MAX_PARTIAL, (2, False)),
        ("stdout", 40_000 - 2 * MAX_PARTIAL, (3, True)),
        ("stdout", 4, None),
        ("stdout", MAX_PARTIAL - 1, None),
        ("stderr", 10, (1, False)),
    ]
    parts = [part for _, _, part in recorder.seen[1:4] if part is not None]
    assert len({part.id for part in parts}) == 1 and len(set(recorder.times[:3])) == 1


def test_a_line_of_exactly_the_limit_has_an_empty_last_part() -> None:
    recorder = _Recorder()
    log = LineLog([recorder])
    log.write("stdout", b"x" * MAX_PARTIAL)
    log.write("stdout", b"\n")
    assert [(len(data), part is not None and part.last) for _, data, part in recorder.seen] == [
        (MAX_PARTIAL, False),
        (0, True),
    ]


def test_a_local_record_is_dockerd_s() -> None:
    """Bytes as `local` of dockerd writes them: length, LogEntry, length."""
    body = b"\x0a\x06stdout\x10\x80\x01\x1a\x02hi"
    record = struct.pack(">I", len(body)) + body + struct.pack(">I", len(body))
    runs, past = LocalFormat().render(record, View(_BOTH, timestamps=True))
    assert b"".join(text for _, text in runs) == b"1970-01-01T00:00:00.000000128Z hi\n" and not past


@pytest.mark.parametrize("junk", [b"\xff" * 20, b"\0\0\0\x04ab", b"\0\0\0\0\0\0\0\0" * 3])
def test_junk_in_a_local_log_harms_nobody(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "log").write_bytes(junk)
    assert _read(tmp_path / "log", "local") == b""
