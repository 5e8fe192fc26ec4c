"""Sparse files: the four ways GNU tar has written their maps. Source: GNU tar manual, "Storing Sparse Files".

Every map is bounded before it is believed: an endless or lying map costs an error, never memory (CVE-2026-32288).
"""

from __future__ import annotations

from typing import NamedTuple

from windlass.archive.entry import BLOCK, Segment
from windlass.archive.errors import TarCorrupt, TooLarge
from windlass.archive.header import MAX_SIZE, parse_size
from windlass.archive.pax import MAX_BLOCK_BYTES, Records, parse_integer
from windlass.archive.source import ByteSource

MAX_SEGMENTS = 65536

_OLD_FLAG = ord("S")
_OLD_FIRST = 386
_OLD_FIRST_COUNT = 4
_OLD_EXTENDED = 482
_OLD_REAL_SIZE = slice(483, 495)
_EXTENSION_COUNT = 21
_EXTENSION_EXTENDED = 504
_PAIR = 24
_FIELD = 12

SparseMap = tuple[Segment, ...]


class SparseLayout(NamedTuple):
    """How a file lies in the archive: its real size, what is stored of it, and where the stored runs belong."""

    size_bytes: int
    stored_bytes: int
    runs: SparseMap | None


def read_layout(source: ByteSource, block: bytes, records: Records, stored_bytes: int) -> SparseLayout:
    """Return the layout of the regular file whose header is `block`, reading what precedes its data from `source`.

    `stored_bytes` is the size in the header.

    Raises:
        TarCorrupt: the map is malformed, out of order, or not as long as the data.
        TarTruncated: the stream ends inside the map.
        TooLarge: the map has too many runs.
    """
    if block[156] == _OLD_FLAG:
        runs, size = _read_old_map(source, block)
        return SparseLayout(size, stored_bytes, _checked(runs, size, stored_bytes))
    plain = dict(records)
    if plain.get(b"GNU.sparse.major") == b"1" and plain.get(b"GNU.sparse.minor") == b"0":
        runs, taken = _text_map(source, stored_bytes)
    elif (listed := _record_map(records)) is not None:
        runs, taken = listed, 0
    else:
        return SparseLayout(stored_bytes, stored_bytes, None)
    size = _offset(plain.get(b"GNU.sparse.realsize") or plain.get(b"GNU.sparse.size") or b"")
    stored = stored_bytes - taken
    return SparseLayout(size, stored, _checked(runs, size, stored))


def _read_old_map(source: ByteSource, block: bytes) -> tuple[list[Segment], int]:
    runs, size, more = _old_map(block)
    while more:
        if len(runs) > MAX_SEGMENTS:
            raise TooLarge("sparse map", MAX_SEGMENTS)
        further, more = _extension_map(source.take_exactly(BLOCK))
        if more and not further:
            raise TarCorrupt("invalid sparse map")
        runs += further
    return runs, size


def _old_map(block: bytes) -> tuple[list[Segment], int, bool]:
    """Return the runs in an old GNU sparse header, the file's size and whether extension blocks follow."""
    runs = _pairs(block, _OLD_FIRST, _OLD_FIRST_COUNT)
    return runs, parse_size(block[_OLD_REAL_SIZE]), block[_OLD_EXTENDED] != 0


def _extension_map(block: bytes) -> tuple[list[Segment], bool]:
    """Return the runs in an extension block and whether another one follows."""
    return _pairs(block, 0, _EXTENSION_COUNT), block[_EXTENSION_EXTENDED] != 0


def _pairs(block: bytes, start: int, count: int) -> list[Segment]:
    runs: list[Segment] = []
    for at in range(start, start + count * _PAIR, _PAIR):
        if block[at] == 0:
            break
        runs.append(Segment(parse_size(block[at : at + _FIELD]), parse_size(block[at + _FIELD : at + _PAIR])))
    return runs


def _record_map(records: Records) -> list[Segment] | None:
    """Return the map in PAX records of format 0.0 or 0.1, or None when there is none."""
    numbers: list[int] = []
    found = False
    for key, value in records:
        if key == b"GNU.sparse.map":
            found = True
            numbers = [_offset(text) for text in value.split(b",")] if value else []
        elif key == b"GNU.sparse.offset":
            found = True
            numbers.append(_offset(value))
            expected = 1
        elif key == b"GNU.sparse.numbytes":
            found = True
            numbers.append(_offset(value))
            expected = 0
        else:
            continue
        if key != b"GNU.sparse.map" and len(numbers) % 2 != expected:
            raise TarCorrupt("invalid sparse map")
    return _paired(numbers) if found else None


def _text_map(source: ByteSource, stored_bytes: int) -> tuple[list[Segment], int]:
    """Read the map that format 1.0 keeps at the start of the data; return its runs and the bytes it took."""
    text = bytearray()
    lines = 0
    wanted = 1
    while lines < wanted:
        if len(text) + BLOCK > min(stored_bytes, MAX_BLOCK_BYTES):
            raise TarCorrupt("invalid sparse map")
        block = source.take_exactly(BLOCK)
        if not text:
            wanted = 1 + 2 * _run_count(block)
        text += block
        lines += block.count(b"\n")
    numbers = [_offset(line) for line in bytes(text).split(b"\n")[1:wanted]]
    return _paired(numbers), len(text)


def _run_count(first_block: bytes) -> int:
    line, newline, _ = first_block.partition(b"\n")
    count = _offset(line) if newline else -1
    if count < 0:
        raise TarCorrupt("invalid sparse map")
    if count > MAX_SEGMENTS:
        raise TooLarge("sparse map", MAX_SEGMENTS)
    return count


def _offset(text: bytes) -> int:
    value = parse_integer(text)
    if not 0 <= value <= MAX_SIZE:
        raise TarCorrupt("invalid sparse map")
    return value


def _paired(numbers: list[int]) -> list[Segment]:
    if len(numbers) % 2:
        raise TarCorrupt("invalid sparse map")
    if len(numbers) > 2 * MAX_SEGMENTS:
        raise TooLarge("sparse map", MAX_SEGMENTS)
    pairs = iter(numbers)
    return [Segment(offset, length) for offset, length in zip(pairs, pairs, strict=True)]


def _checked(runs: list[Segment], size_bytes: int, stored_bytes: int) -> SparseMap:
    """Return `runs` as a map once they are in order, apart, inside the file and as long as what is stored."""
    end = stored = 0
    for run in runs:
        if run.offset < end or run.offset + run.length > size_bytes:
            raise TarCorrupt("invalid sparse map")
        end = run.offset + run.length
        stored += run.length
    if stored != stored_bytes:
        raise TarCorrupt("invalid sparse map")
    return tuple(run for run in runs if run.length)
