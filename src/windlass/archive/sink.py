"""Where archives are written to: a descriptor, with what passes hashed or copied inside the kernel."""

from __future__ import annotations

import hashlib
import os
from typing import Protocol

from windlass.linux.fs import copy_range

_BUFFER_BYTES = 1 << 18


class Sink(Protocol):
    """Takes bytes, from memory or from a file."""

    def write(self, data: bytes, /) -> None:
        """Append `data`."""
        ...

    def copy_from(self, fd: int, count: int) -> int:
        """Append up to `count` bytes of the file `fd` from its offset; return how many there were."""
        ...

    def flush(self) -> None:
        """Let nothing wait in memory."""
        ...


class FdSink:
    """Writes to a file, pipe or socket. Small pieces are gathered, large files are copied inside the kernel."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._buffer = bytearray()
        self.count = 0

    def write(self, data: bytes, /) -> None:
        """Append `data`.

        Raises:
            OSError: EPIPE when the reader is gone, ENOSPC and the like.
        """
        self._buffer += data
        self.count += len(data)
        if len(self._buffer) >= _BUFFER_BYTES:
            self.flush()

    def copy_from(self, fd: int, count: int) -> int:
        """Append up to `count` bytes of the file `fd` from its offset; return how many there were.

        Raises:
            OSError: as `write`.
        """
        if count < _BUFFER_BYTES:
            return _copy_by_memory(self, fd, count)
        self.flush()
        copied = copy_range(fd, self._fd, count)
        self.count += copied
        return copied

    def flush(self) -> None:
        """Write what was gathered.

        Raises:
            OSError: as `write`.
        """
        view = memoryview(self._buffer)
        while view:
            view = view[os.write(self._fd, view) :]
        view.release()
        self._buffer = bytearray()


class HashingSink:
    """Passes everything on to another sink, and knows its digest."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._hash = hashlib.sha256()
        self.count = 0

    @property
    def digest(self) -> str:
        """The sha256 digest of what has passed."""
        return f"sha256:{self._hash.hexdigest()}"

    def write(self, data: bytes, /) -> None:
        """Append `data`.

        Raises:
            OSError: as the other sink.
        """
        self._hash.update(data)
        self.count += len(data)
        self._sink.write(data)

    def copy_from(self, fd: int, count: int) -> int:
        """Append up to `count` bytes of the file `fd` from its offset; return how many there were.

        Raises:
            OSError: as the other sink.
        """
        return _copy_by_memory(self, fd, count)

    def flush(self) -> None:
        """Flush the other sink.

        Raises:
            OSError: as the other sink.
        """
        self._sink.flush()


def _copy_by_memory(sink: Sink, fd: int, count: int) -> int:
    copied = 0
    while copied < count and (data := os.read(fd, min(count - copied, _BUFFER_BYTES))):
        sink.write(data)
        copied += len(data)
    return copied
