"""The log writer: bulk encoding equals line by line, and a full disk tears no record."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.launch.log_file import open_log
from windlass.launch.log_lines import Log
from windlass.spec.task import LogPlan


def _texts(path: Path) -> list[str]:
    return [json.loads(line)["log"] for line in path.read_bytes().splitlines()]


@given(st.lists(st.binary(max_size=50), max_size=20))
@settings(deadline=None)
def test_any_bytes_come_back_as_their_text(tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    log = open_log(LogPlan(path=str(path)))
    for chunk in chunks:
        log.write("stdout", chunk)
    log.close()
    whole = b"".join(chunks)
    lines = whole.split(b"\n")
    expected = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    assert _texts(path) == [line.decode("utf-8", "replace") for line in expected]


def test_private_use_characters_survive(tmp_path: Path) -> None:
    log = open_log(LogPlan(path=str(tmp_path / "log")))
    log.write("stdout", "a\uf8ffb\nc\n".encode())
    log.close()
    assert _texts(tmp_path / "log") == ["a\uf8ffb\n", "c\n"]


def test_lines_longer_than_16_kib_are_split(tmp_path: Path) -> None:
    log = open_log(LogPlan(path=str(tmp_path / "log")))
    log.write("stdout", b"x" * 40_000)
    log.write("stdout", b"\n")
    log.close()
    texts = _texts(tmp_path / "log")
    assert [len(text) for text in texts] == [16384, 16384, 7233]


def test_attributes_are_recorded(tmp_path: Path) -> None:
    log = open_log(LogPlan(path=str(tmp_path / "log"), attrs={"a": "1", "b": '"'}))
    log.write("stdout", b"x\n")
    log.close()
    assert json.loads((tmp_path / "log").read_text())["attrs"] == {"a": "1", "b": '"'}


def test_a_full_disk_leaves_whole_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = open_log(LogPlan(path=str(tmp_path / "log")))
    log.write("stdout", b"first\n")
    real = os.write

    def torn(fd: int, data: memoryview) -> int:
        if len(data) > 10:
            return real(fd, data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", torn)
    log.write("stdout", b"x" * 6 + b"\n")
    monkeypatch.setattr(os, "write", real)
    log.write("stdout", b"third\n")
    log.close()
    assert _texts(tmp_path / "log")[0] == "first\n"
    assert _texts(tmp_path / "log")[-1] == "third\n"


def test_driver_none_keeps_nothing() -> None:
    log = open_log(LogPlan())
    log.write("stdout", b"x\n")
    assert type(log) is Log


def test_one_large_chunk_is_spread_over_rotated_files(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = open_log(LogPlan(path=str(path), max_size=20_000, max_file=50))
    log.write("stdout", b"".join(b"line %d\n" % number for number in range(2000)))
    log.close()
    files = sorted(tmp_path.glob("log*"), key=lambda file: -int(file.suffix[1:] or 0) if file.suffix else 1)
    assert len(files) > 5
    assert all(file.stat().st_size <= 20_000 for file in files)
    texts = [text for file in files for text in _texts(file)]
    assert sorted(texts) == sorted(f"line {number}\n" for number in range(2000))
