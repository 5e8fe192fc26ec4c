"""Compressed streams: sniffed, whole, bounded."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable

import pytest
import zstandard

from windlass.archive.compression import DecodedStream, ExpansionLimits, Format, sniff
from windlass.archive.errors import StreamCorrupt, TooLarge

DATA = bytes(range(256)) * 300 + b"abc" * 100_000

FORMATS = [
    pytest.param(Format.GZIP, gzip.compress, id="gzip"),
    pytest.param(Format.XZ, lzma.compress, id="xz"),
    pytest.param(Format.BZIP2, bz2.compress, id="bzip2"),
    pytest.param(Format.ZSTD, zstandard.compress, id="zstd"),
]
Compress = Callable[[bytes], bytes]


def decoded(data: bytes, limits: ExpansionLimits | None = None, step: int = 5000) -> bytes:
    stream = DecodedStream(io.BytesIO(data), limits)
    return b"".join(iter(lambda: stream.read(step), b""))


@pytest.mark.parametrize(("format_", "compress"), FORMATS)
def test_decoded_whole(format_: Format, compress: Compress) -> None:
    stream = DecodedStream(io.BytesIO(compress(DATA)))
    assert stream.format is format_
    assert b"".join(iter(lambda: stream.read(1000), b"")) == DATA
    assert stream.produced_bytes == len(DATA)
    assert stream.consumed_bytes == len(compress(DATA))


@pytest.mark.parametrize(("format_", "compress"), FORMATS)
def test_members_one_after_another(format_: Format, compress: Compress) -> None:
    assert decoded(compress(b"one") + compress(b"") + compress(b"two")) == b"onetwo"


@pytest.mark.parametrize(("format_", "compress"), FORMATS)
def test_every_kind_of_cut_is_noticed(format_: Format, compress: Compress) -> None:
    whole = compress(DATA)
    for length in {7, 8, 12, 20, len(whole) // 2, len(whole) - 9, len(whole) - 4, len(whole) - 1}:
        with pytest.raises(StreamCorrupt, match="unexpected EOF"):
            decoded(whole[:length])


@pytest.mark.parametrize(("format_", "compress"), FORMATS)
def test_garbage_after_the_end_is_noticed(format_: Format, compress: Compress) -> None:
    with pytest.raises(StreamCorrupt):
        decoded(compress(DATA) + b"garbage garbage")


def test_wrong_checksum_is_noticed() -> None:
    whole = gzip.compress(DATA)
    with pytest.raises(StreamCorrupt):
        decoded(whole[:-8] + bytes(4) + whole[-4:])


def test_zeros_after_gzip_are_padding() -> None:
    assert decoded(gzip.compress(DATA) + bytes(2000)) == DATA


def test_zstd_with_checksum_known_size_and_skippable_frame() -> None:
    skippable = b"\x5a\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    frame = zstandard.ZstdCompressor(write_checksum=True, write_content_size=True).compress(DATA)
    assert decoded(skippable + frame + skippable) == DATA
    with pytest.raises(StreamCorrupt):
        decoded(skippable + frame + skippable[:-1])
    with pytest.raises(StreamCorrupt):
        decoded(frame[:-1])


def test_uncompressed_passes_through() -> None:
    for data in (b"", b"x", b"plain bytes", b"\x1f\x8b"):
        assert decoded(data) == data


@pytest.mark.parametrize("prefix", [b"", b"\x1f\x8b", b"BZ", b"PK\x03\x04", b"\x00" * 6])
def test_not_compressed(prefix: bytes) -> None:
    assert sniff(prefix) is Format.NONE


@pytest.mark.parametrize(("format_", "compress"), FORMATS)
def test_bomb_by_size(format_: Format, compress: Compress) -> None:
    with pytest.raises(TooLarge):
        decoded(compress(bytes(1 << 20)), ExpansionLimits(max_bytes=1 << 16))


@pytest.mark.parametrize(("format_", "compress"), FORMATS)
def test_bomb_by_ratio(format_: Format, compress: Compress) -> None:
    limits = ExpansionLimits(ratio=20, ratio_floor_bytes=1 << 16)
    with pytest.raises(TooLarge):
        decoded(compress(bytes(4 << 20)), limits)
    assert len(decoded(compress(bytes(1 << 16)), limits)) == 1 << 16


@pytest.mark.parametrize(("format_", "compress"), FORMATS)
def test_one_read_never_gives_more_than_asked(format_: Format, compress: Compress) -> None:
    stream = DecodedStream(io.BytesIO(compress(bytes(8 << 20))))
    assert len(stream.read(4096)) <= 4096


def test_zstd_window_beyond_the_bound_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=28, compression_level=1)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    frame = compressor.compress(bytes(1 << 20)) + compressor.flush()
    with pytest.raises(StreamCorrupt):
        decoded(frame)
