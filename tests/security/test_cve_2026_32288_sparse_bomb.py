"""CVE-2026-32288: a sparse map without end made the reader of a pulled layer take unbounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from tests.support.archives import END, apply, padded, pax_header, raw_header

from windlass.archive.header import GNU_MAGIC
from windlass.archive.reader import TarReader
from windlass.base.errors import DataLoss, InvalidParameter

MEMORY_BYTES = 64 << 20


class Endless:
    """A first part, then the same block for ever."""

    def __init__(self, first: bytes, block: bytes) -> None:
        self._first = first
        self._block = block
        self.given = 0

    def read(self, size: int, /) -> bytes:
        if self._first:
            data, self._first = self._first[:size], self._first[size:]
        else:
            data = self._block * max(1, size // len(self._block))
        self.given += len(data)
        return data


def refused(stream: Endless) -> None:
    tracemalloc.start()
    try:
        with pytest.raises((DataLoss, InvalidParameter)):
            TarReader(stream).next()
        assert tracemalloc.get_traced_memory()[1] < MEMORY_BYTES
    finally:
        tracemalloc.stop()
    assert stream.given < MEMORY_BYTES


def test_old_map_without_end() -> None:
    first = raw_header(b"s", b"S", magic=GNU_MAGIC, fields={482: b"\1", 483: b"%011o\0" % (1 << 30)})
    refused(Endless(first, (b"%011o\0%011o\0" % (1, 0)) * 21 + b"\1" + bytes(7)))


def test_old_map_of_empty_blocks_without_end() -> None:
    first = raw_header(b"s", b"S", magic=GNU_MAGIC, fields={482: b"\1"})
    refused(Endless(first, bytes(504) + b"\1" + bytes(7)))


VERSION_1 = [(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.realsize", b"1")]


@pytest.mark.parametrize("text", [b"9999999999\n", b"60000\n"])
def test_map_in_the_data_without_end(text: bytes) -> None:
    first = pax_header(VERSION_1) + raw_header(b"s", size=0o77777777777) + text.ljust(512, b"0")
    refused(Endless(first, b"0" * 512))


def test_map_in_the_data_of_many_runs() -> None:
    first = pax_header(VERSION_1) + raw_header(b"s", size=0o77777777777) + b"99999999\n".ljust(512, b"1")
    refused(Endless(first, b"1\n" * 256))


def test_extended_header_without_end() -> None:
    refused(Endless(raw_header(flag=b"x", size=0o77777777777), b"0" * 512))


@pytest.mark.root
def test_file_of_eight_exabytes_of_hole_is_refused(tmp_path: Path) -> None:
    records = [(b"GNU.sparse.size", b"%d" % ((1 << 63) - 1)), (b"GNU.sparse.map", b"0,1")]
    with pytest.raises(InvalidParameter):
        apply(pax_header(records) + raw_header(b"s", size=1) + padded(b"x") + END, tmp_path)
    assert list(tmp_path.iterdir()) == []
