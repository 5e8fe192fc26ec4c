"""Small streams that want to become large ones, and layers that are cut."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from tests.support.archives import apply, directory, file, gnu_long, pax_header, raw_header, tar

from windlass.archive.compression import DecodedStream, ExpansionLimits
from windlass.base.errors import DataLoss, InvalidParameter

LIMITS = ExpansionLimits(ratio=100, ratio_floor_bytes=1 << 20)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_bomb_is_stopped_soon_after_the_floor(compress: Callable[[bytes], bytes]) -> None:
    bomb = compress(bytes(64 << 20))
    stream = DecodedStream(io.BytesIO(bomb), LIMITS)
    with pytest.raises(InvalidParameter):
        while stream.read(1 << 16):
            pass
    assert stream.produced_bytes < 32 << 20


def test_bomb_in_a_bomb_is_read_once(tmp_path: Path) -> None:
    """What decodes to a compressed stream is not decoded again: it is not a tar."""
    stream = DecodedStream(io.BytesIO(gzip.compress(gzip.compress(bytes(1 << 20)))))
    with pytest.raises(DataLoss):
        apply(stream.read(1 << 20), tmp_path)


@pytest.mark.parametrize("size", [b"\x80" + bytes(3) + b"\xff" * 8, b"\xff" * 12, b"\x80\0\0\0\x80" + bytes(7)])
def test_sizes_around_two_to_the_63_are_refused(tmp_path: Path, size: bytes) -> None:
    with pytest.raises(DataLoss):
        apply(raw_header(b"x", size=size) + b"data" * 1000, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [b"77777777777\0", b"\x80\0\0\0" + b"\x7f" + b"\xff" * 7])
def test_size_that_the_stream_does_not_have(tmp_path: Path, size: bytes) -> None:
    with pytest.raises((DataLoss, InvalidParameter)):
        apply(raw_header(b"x", size=size) + b"data" * 1000, tmp_path)


@pytest.mark.root
def test_every_cut_of_a_layer_is_an_error(tmp_path: Path) -> None:
    whole = (
        tar(directory(b"d/"))[:512]
        + pax_header([(b"path", b"p" * 120)])
        + raw_header(b"x", size=3)
        + b"abc".ljust(512, b"\0")
        + gnu_long(b"L", b"n" * 200)
        + raw_header(b"y", size=700)
        + b"z" * 700
    )
    for length in range(1, len(whole), 41):
        if length in (512, 512 * 5):
            continue
        root = tmp_path / str(length)
        root.mkdir()
        with pytest.raises(DataLoss):
            apply(whole[:length], root)


def test_random_bytes_are_an_error_never_a_crash(tmp_path: Path) -> None:
    for _ in range(50):
        with pytest.raises((DataLoss, InvalidParameter)):
            apply(b"\1" + os.urandom(5000), tmp_path)


@pytest.mark.root
def test_compressed_layer_is_never_handed_to_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2026-41567: a decompressor found in the container's PATH was run."""
    for name in ("gzip", "gunzip", "unpigz", "pigz", "xz", "unxz", "zstd", "bzip2"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for compress in (gzip.compress, lzma.compress, bz2.compress, zstandard.compress):
        stream = DecodedStream(io.BytesIO(compress(tar(file(b"f", b"x")))))
        root = tmp_path / compress.__module__
        root.mkdir()
        apply(b"".join(iter(lambda s=stream: s.read(4096), b"")), root)
        assert (root / "f").exists()
    assert not (tmp_path / "ran").exists()
