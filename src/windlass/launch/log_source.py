"""The files of one log as they are read: the current one, the rotated ones, and those that are compressed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import cast

from windlass.launch.log_records import BLOCK, Format
from windlass.launch.log_rotation import compressed_identity, identity

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_GZIP = 31
# More rotations than this do not happen while files are opened.
_MOVED = 16


class Source:
    """One opened file, read forward."""

    def __init__(self, fd: int, *, compressed: bool) -> None:
        self.fd = fd
        self.compressed = compressed
        status = os.fstat(fd)
        self.modified_ns = status.st_mtime_ns
        self.inode = status.st_ino
        self._skip = 0
        self._rest = b""

    @property
    def identity(self) -> bytes:
        """What the file has in common with its compressed self; it is settled once nothing is written any more."""
        return compressed_identity(self.fd) if self.compressed else identity(self.fd)

    def is_same(self, other: Source) -> bool:
        """Tell whether both have the same records. While both are open, no inode's number is used again."""
        if self.compressed == other.compressed and self.inode == other.inode:
            return True
        return (self.compressed or other.compressed) and self.identity == other.identity

    def close(self) -> None:
        """Close the file."""
        os.close(self.fd)

    def read(self, records: Format) -> Iterator[bytes]:
        """Return complete records by the chunk, up to the file's present end; call again for what came since."""
        for chunk in self._inflated() if self.compressed else self._chunks():
            data = self._rest + chunk
            end = records.complete(data)
            data, self._rest = data[:end], data[end:]
            if self._skip:
                data, self._skip = records.skip(data, self._skip)
            if data:
                yield data

    def _chunks(self) -> Iterator[bytes]:
        while chunk := os.read(self.fd, BLOCK):
            yield chunk

    def _inflated(self) -> Iterator[bytes]:
        """Decompress from the file's beginning; what is broken ends it."""
        # Imported by the worker that needs it: the zygote stays small.
        from isal import igzip_lib, isal_zlib

        inflater = isal_zlib.decompressobj(_GZIP)
        os.lseek(self.fd, 0, os.SEEK_SET)
        try:
            for chunk in self._chunks():
                data = inflater.decompress(chunk, BLOCK)
                while data:
                    yield data
                    data = inflater.decompress(inflater.unconsumed_tail, BLOCK)
        except cast(type[Exception], igzip_lib.IsalError):
            return

    def keep_last(self, wanted: int, records: Format) -> int:
        """Leave at most `wanted` records to read; returns how many are still wanted from older files."""
        if not self.compressed:
            return records.seek_back(self.fd, wanted)
        total, rest = 0, b""
        for chunk in self._inflated():
            data = rest + chunk
            end = records.complete(data)
            rest = data[end:]
            total += records.count(data[:end])
        self._skip = max(0, total - wanted)
        return max(0, wanted - total)


def open_all(path: str) -> list[Source]:
    """Open the rotated files and the current one, oldest first.

    Files are opened from the newest on: one that a rotation moves meanwhile is then met twice, not missed.
    """
    sources: list[Source] = []
    number = 0
    while (source := _open(f"{path}.{number}" if number else path)) is not None or number == 0:
        number += 1
        if source is None:
            # Between two steps of a rotation there is no current file.
            continue
        # A file moves on by one with each rotation: it is met again among the next.
        if any(source.is_same(other) for other in sources[:_MOVED]):
            source.close()
        else:
            sources.insert(0, source)
    return sources


def _open(path: str) -> Source | None:
    for name, compressed in ((path, False), (f"{path}.gz", True)):
        try:
            return Source(os.open(name, _FLAGS), compressed=compressed)
        except FileNotFoundError:
            continue
    return None
