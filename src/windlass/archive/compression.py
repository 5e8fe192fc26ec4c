"""Compression by the bytes' own word: sniffed, streamed, bounded, in this process only.

No external program is ever run for it: one found in a container's PATH would be the container's (CVE-2026-41567).
"""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable
from enum import Enum
from typing import IO, Protocol, cast

import msgspec
import zstandard
from isal import igzip_lib

from windlass.archive.errors import StreamCorrupt, TooLarge
from windlass.archive.source import CHUNK_BYTES, Readable
from windlass.archive.zstd_frames import FrameWalk


class Format(Enum):
    """A compression format; the value is the suffix of its OCI media type, or the plain name."""

    NONE = ""
    GZIP = "gzip"
    ZSTD = "zstd"
    XZ = "xz"
    BZIP2 = "bzip2"


SNIFF_BYTES = 6

_MAGIC = (
    (Format.GZIP, b"\x1f\x8b\x08"),
    (Format.ZSTD, b"\x28\xb5\x2f\xfd"),
    (Format.XZ, b"\xfd7zXZ\x00"),
    (Format.BZIP2, b"BZh"),
)
# Sixteen magics of frames that decoders skip. Source: RFC 8878, "Skippable Frames".
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"

# What the peers' decoders allow at most; more is memory asked for by a stranger.
_ZSTD_WINDOW_BYTES = 128 << 20
_XZ_MEMORY_BYTES = 128 << 20


class ExpansionLimits(msgspec.Struct, frozen=True):
    """Bounds on what comes out of a decoder, in bytes.

    `ratio` (output to input) counts once the output passes `ratio_floor_bytes`: a large file of zeros in a layer is no
    attack, and compresses a thousandfold.
    """

    max_bytes: int = 1 << 40
    ratio: int = 200
    ratio_floor_bytes: int = 8 << 30


def sniff(prefix: bytes) -> Format:
    """Return the format of a stream that starts with `prefix` (`SNIFF_BYTES` are enough)."""
    for format_, magic in _MAGIC:
        if prefix.startswith(magic):
            return format_
    if prefix[1:4] == _ZSTD_SKIPPABLE and prefix[0] & 0xF0 == 0x50:
        return Format.ZSTD
    return Format.NONE


class DecodedStream:
    """A stream without its compression. `format` says what that was; the counters are in bytes."""

    def __init__(self, stream: Readable, limits: ExpansionLimits | None = None) -> None:
        """Sniff `stream`, reading as little as that takes.

        Raises:
            OSError: the stream does not read.
        """
        prefix = b""
        while len(prefix) < SNIFF_BYTES and (more := stream.read(SNIFF_BYTES - len(prefix))):
            prefix += more
        self.format = sniff(prefix)
        self.produced_bytes = 0
        self._input = _Counted(stream, prefix)
        self._decoder = _decoder(self.format, self._input)
        self._limits = limits or ExpansionLimits()

    @property
    def consumed_bytes(self) -> int:
        """Bytes read of the compressed stream."""
        return self._input.count

    def read(self, size: int = CHUNK_BYTES, /) -> bytes:
        """Return up to `size` decoded bytes; empty at the end.

        Raises:
            StreamCorrupt: the stream does not decode, or ends early.
            TooLarge: more comes out than the limits allow.
        """
        data = self._decoder.read(size)
        self.produced_bytes += len(data)
        if self.produced_bytes > self._limits.ratio_floor_bytes or self.produced_bytes > self._limits.max_bytes:
            self._check_expansion()
        return data

    def _check_expansion(self) -> None:
        limits = self._limits
        if self.produced_bytes > limits.max_bytes:
            raise TooLarge("decompressed size", limits.max_bytes)
        if self.format is not Format.NONE and self.produced_bytes > limits.ratio * self.consumed_bytes:
            raise TooLarge("ratio of decompressed to compressed size", limits.ratio)


class _Counted:
    """The compressed stream, with the sniffed bytes put back in front."""

    def __init__(self, stream: Readable, prefix: bytes) -> None:
        self._stream = stream
        self._prefix = prefix
        self.count = 0

    def read(self, size: int = CHUNK_BYTES, /) -> bytes:
        if self._prefix:
            data, self._prefix = self._prefix[:size], self._prefix[size:]
        else:
            data = self._stream.read(size)
        self.count += len(data)
        return data


def _decoder(format_: Format, stream: Readable) -> Readable:
    if format_ is Format.GZIP:
        return _MemberDecoder("gzip", _gzip_member, stream)
    if format_ is Format.XZ:
        return _MemberDecoder("xz", _xz_member, stream)
    if format_ is Format.BZIP2:
        return _MemberDecoder("bzip2", bz2.BZ2Decompressor, stream)
    if format_ is Format.ZSTD:
        return _ZstdDecoder(stream)
    return stream


class _Member(Protocol):
    """The stdlib's incremental decoder of one member."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _gzip_member() -> _Member:
    member: _Member = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    return member


def _xz_member() -> _Member:
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)


_ISAL_ERROR = cast(type[Exception], igzip_lib.IsalError)
_DECODE_ERRORS: tuple[type[Exception], ...] = (OSError, EOFError, ValueError, lzma.LZMAError, _ISAL_ERROR)


class _MemberDecoder:
    """Members one after another, as gzip, xz and bzip2 allow.

    Zeros after the last are padding; anything else there is an error.
    """

    def __init__(self, name: str, new_member: Callable[[], _Member], stream: Readable) -> None:
        self._name = name
        self._new_member = new_member
        self._stream = stream
        self._member: _Member | None = new_member()
        self._pending = b""

    def read(self, size: int, /) -> bytes:
        while self._member is not None:
            member = self._member
            if member.needs_input and not self._pending:
                self._pending = self._stream.read(CHUNK_BYTES)
                if not self._pending:
                    raise StreamCorrupt(self._name, "unexpected EOF")
            pending, self._pending = self._pending, b""
            data = self._decode(member, pending, size)
            if member.eof:
                self._pending = member.unused_data
                self._start_next()
            if data:
                return data
        return b""

    def _decode(self, member: _Member, pending: bytes, size: int) -> bytes:
        try:
            return member.decompress(pending, max_length=size)
        except _DECODE_ERRORS as error:
            raise StreamCorrupt(self._name, str(error)) from error

    def _start_next(self) -> None:
        self._member = None
        while not (rest := self._pending.lstrip(b"\0")):
            self._pending = self._stream.read(CHUNK_BYTES)
            if not self._pending:
                return
        self._pending = rest
        self._member = self._new_member()


class _ZstdDecoder:
    """Frames one after another, each with a bounded window."""

    def __init__(self, stream: Readable) -> None:
        decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
        self._frames = FrameWalk(stream)
        # The binding only ever calls read(n) on its source.
        source = cast(IO[bytes], self._frames)
        self._reader = decoder.stream_reader(source, read_size=CHUNK_BYTES, read_across_frames=True)

    def read(self, size: int, /) -> bytes:
        try:
            data = self._reader.read(size)
        except zstandard.ZstdError as error:
            raise StreamCorrupt("zstd", str(error)) from error
        if not data and not self._frames.complete:
            raise StreamCorrupt("zstd", "unexpected EOF")
        return data
