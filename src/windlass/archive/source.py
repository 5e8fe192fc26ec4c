"""A byte stream read exactly, with as few copies as can be: what archives are parsed from."""

from __future__ import annotations

import os
from typing import Protocol

from windlass.archive.errors import TarTruncated


class Readable(Protocol):
    """Anything with a blocking `read`; a short result is not the end, an empty one is."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; empty at the end of the stream."""
        ...


class FdStream:
    """A descriptor, read from its offset."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; empty at the end."""
        return os.read(self._fd, size)


# Large enough to make few system calls, small enough to stay in a second-level cache between read, hash and write.
CHUNK_BYTES = 1 << 18


class ByteSource:
    """A buffer of one chunk over a `Readable`; hands out views of it instead of copies."""

    __slots__ = ("_chunk", "_chunk_bytes", "_end", "_position", "_stream", "consumed_bytes")

    def __init__(self, stream: Readable, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._stream = stream
        self._chunk_bytes = chunk_bytes
        self._chunk = b""
        self._position = 0
        self._end = 0
        self.consumed_bytes = 0

    def _fill(self) -> bool:
        self._chunk = self._stream.read(self._chunk_bytes)
        self._position = 0
        self._end = len(self._chunk)
        return self._end > 0

    def take(self, count: int) -> bytes:
        """Return exactly `count` bytes, or fewer at the end of the stream. The caller bounds `count`."""
        start = self._position
        stop = start + count
        if stop <= self._end:
            self._position = stop
            self.consumed_bytes += count
            return self._chunk[start:stop]
        parts = [self._chunk[start:]]
        missing = count - len(parts[0])
        while missing and self._fill():
            part = self._chunk[:missing]
            self._position = len(part)
            parts.append(part)
            missing -= len(part)
        if missing:
            self._position = self._end
        self.consumed_bytes += count - missing
        return b"".join(parts)

    def take_exactly(self, count: int) -> bytes:
        """Return exactly `count` bytes.

        Raises:
            TarTruncated: the stream ends before.
        """
        data = self.take(count)
        if len(data) != count:
            raise TarTruncated()
        return data

    def view(self, limit: int) -> memoryview:
        """Return a view of at least one and at most `limit` bytes, good until the next call.

        Raises:
            TarTruncated: the stream has ended.
        """
        if self._position == self._end and not self._fill():
            raise TarTruncated()
        start = self._position
        stop = min(start + limit, self._end)
        self._position = stop
        self.consumed_bytes += stop - start
        return memoryview(self._chunk)[start:stop]

    def skip(self, count: int) -> None:
        """Read past `count` bytes.

        Raises:
            TarTruncated: the stream ends before.
        """
        stop = self._position + count
        if stop <= self._end:
            self._position = stop
            self.consumed_bytes += count
            return
        while count:
            count -= len(self.view(count))

    def drain(self) -> None:
        """Read to the end of the stream."""
        self.consumed_bytes += self._end - self._position
        while self._fill():
            self.consumed_bytes += self._end
        self._position = self._end
