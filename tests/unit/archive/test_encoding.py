"""What we compress: whole, reproducible, readable by others."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest
import zstandard
from tests.support.archives import MemorySink, file

from windlass.archive.compression import DecodedStream, Format
from windlass.archive.encoding import EncodingSink
from windlass.archive.sink import HashingSink
from windlass.archive.writer import TarWriter
from windlass.spec.digest import digest_bytes

DATA = os.urandom(1000) * 500


def encoded(format_: Format, data: bytes = DATA) -> bytes:
    target = MemorySink()
    sink = EncodingSink(target, format_)
    for start in range(0, len(data), 70_000):
        sink.write(data[start : start + 70_000])
    sink.finish()
    return bytes(target.data)


@pytest.mark.parametrize("format_", [Format.NONE, Format.GZIP, Format.ZSTD])
@pytest.mark.parametrize("data", [b"", b"x", DATA])
def test_encoded_and_decoded(format_: Format, data: bytes) -> None:
    stream = DecodedStream(io.BytesIO(encoded(format_, data)))
    assert b"".join(iter(lambda: stream.read(10_000), b"")) == data
    assert stream.format is format_


@pytest.mark.parametrize("format_", [Format.GZIP, Format.ZSTD])
def test_same_input_same_bytes(format_: Format) -> None:
    assert encoded(format_) == encoded(format_)


def test_others_read_it() -> None:
    assert gzip.decompress(encoded(Format.GZIP)) == DATA
    assert zstandard.ZstdDecompressor().decompressobj().decompress(encoded(Format.ZSTD)) == DATA


def test_gzip_header_has_neither_time_nor_name() -> None:
    header = encoded(Format.GZIP)[:10]
    assert header[:4] == b"\x1f\x8b\x08\x00" and header[4:8] == bytes(4)


def test_formats_that_we_do_not_write() -> None:
    with pytest.raises(ValueError):
        EncodingSink(MemorySink(), Format.XZ)


def test_layer_with_both_digests(tmp_path: Path) -> None:
    """A diff id before the compression, a blob digest after it, in one pass."""
    content = tmp_path / "f"
    content.write_bytes(DATA)
    target = MemorySink()
    blob = HashingSink(target)
    compressed = EncodingSink(blob, Format.GZIP)
    diff = HashingSink(compressed)
    writer = TarWriter(diff)
    with open(content, "rb") as source:
        writer.add_from(file(b"f", DATA)[0], source.fileno())
    writer.finish()
    compressed.finish()
    raw = gzip.decompress(bytes(target.data))
    assert (diff.digest, blob.digest) == (digest_bytes(raw), digest_bytes(bytes(target.data)))
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        extracted = archive.extractfile("f")
        assert extracted is not None and extracted.read() == DATA
