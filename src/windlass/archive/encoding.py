"""Compressing what we write: gzip and zstd, the same bytes for the same input.

Headers carry neither time nor name. The output depends on the library's version, so a compressed layer is named once,
when it is made, and kept: only the uncompressed digest can be computed again.
"""

from __future__ import annotations

import os
from typing import Protocol

import zstandard
from isal import isal_zlib

from windlass.archive.compression import Format
from windlass.archive.sink import Sink

# What isal calls 2 is its own trade: about zlib's 2 in size, several times its speed.
_GZIP_LEVEL = 2
_GZIP_WINDOW_BITS = 31
_ZSTD_LEVEL = 3
_READ_BYTES = 1 << 18


class _Encoder(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class EncodingSink:
    """Compresses everything on its way to another sink. `finish` ends the stream; without it the stream is cut."""

    def __init__(self, sink: Sink, format_: Format) -> None:
        """Compress to `format_`: gzip or zstd, or leave the bytes as they are.

        Raises:
            ValueError: we do not write that format.
        """
        self._sink = sink
        self._encoder = _encoder(format_)

    def write(self, data: bytes, /) -> None:
        """Append `data`.

        Raises:
            OSError: of the other sink.
        """
        self._sink.write(self._encoder.compress(data) if self._encoder is not None else data)

    def copy_from(self, fd: int, count: int) -> int:
        """Append up to `count` bytes of the file `fd` from its offset; return how many there were.

        Raises:
            OSError: of the other sink, or of reading.
        """
        if self._encoder is None:
            return self._sink.copy_from(fd, count)
        copied = 0
        while copied < count and (data := os.read(fd, min(count - copied, _READ_BYTES))):
            self.write(data)
            copied += len(data)
        return copied

    def flush(self) -> None:
        """Flush the other sink; what the encoder still holds comes with `finish`.

        Raises:
            OSError: of the other sink.
        """
        self._sink.flush()

    def finish(self) -> None:
        """End the compressed stream and flush.

        Raises:
            OSError: of the other sink.
        """
        if self._encoder is not None:
            self._sink.write(self._encoder.flush())
        self._sink.flush()


def _encoder(format_: Format) -> _Encoder | None:
    if format_ is Format.NONE:
        return None
    if format_ is Format.GZIP:
        encoder: _Encoder = isal_zlib.compressobj(level=_GZIP_LEVEL, wbits=_GZIP_WINDOW_BITS)
        return encoder
    if format_ is Format.ZSTD:
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True).compressobj()
    raise ValueError(f"cannot write {format_.value}")
