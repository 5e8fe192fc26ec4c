"""Archives for tests: well-made ones, raw blocks for the other kind, and a directory to apply them in."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from windlass.archive.apply import ApplyLimits, ApplyResult, WhiteoutMode, apply_layer
from windlass.archive.entry import BLOCK, Kind, TarEntry
from windlass.archive.header import (
    CHECKSUM,
    GNU_MAGIC,
    LINKNAME,
    MAGIC,
    MODE,
    NAME,
    SIZE,
    TYPEFLAG,
    USTAR_MAGIC,
    seal,
)
from windlass.archive.pax import format_records
from windlass.archive.writer import TarWriter

END = bytes(2 * BLOCK)


class MemorySink:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes, /) -> None:
        self.data += data

    def copy_from(self, fd: int, count: int) -> int:
        data = os.read(fd, count)
        self.data += data
        return len(data)

    def flush(self) -> None:
        pass


def file(name: bytes, data: bytes = b"", **fields: object) -> tuple[TarEntry, bytes]:
    """A regular file."""
    return TarEntry(name=name, kind=Kind.FILE, size_bytes=len(data), stored_bytes=len(data), **fields), data  # type: ignore[arg-type]


def directory(name: bytes, mode: int = 0o755, **fields: object) -> tuple[TarEntry, bytes]:
    """A directory."""
    return TarEntry(name=name, kind=Kind.DIRECTORY, mode=mode, **fields), b""  # type: ignore[arg-type]


def symlink(name: bytes, target: bytes) -> tuple[TarEntry, bytes]:
    """A symbolic link."""
    return TarEntry(name=name, kind=Kind.SYMLINK, mode=0o777, linkname=target), b""


def hardlink(name: bytes, target: bytes) -> tuple[TarEntry, bytes]:
    """A hard link."""
    return TarEntry(name=name, kind=Kind.HARDLINK, linkname=target), b""


def node(name: bytes, kind: Kind, major: int = 0, minor: int = 0) -> tuple[TarEntry, bytes]:
    """A device or FIFO."""
    return TarEntry(name=name, kind=kind, major=major, minor=minor), b""


def tar(*entries: tuple[TarEntry, bytes]) -> bytes:
    """A whole archive by our own writer."""
    sink = MemorySink()
    writer = TarWriter(sink)
    for entry, data in entries:
        writer.add(entry, data)
    writer.finish()
    return bytes(sink.data)


def raw_header(
    name: bytes = b"x",
    flag: bytes = b"0",
    *,
    size: bytes | int = 0,
    linkname: bytes = b"",
    magic: bytes = USTAR_MAGIC,
    fields: Mapping[int, bytes] | None = None,
) -> bytes:
    """One sealed header block, of which `fields` (offset to bytes) overwrites whatever it likes."""
    block = bytearray(BLOCK)
    block[NAME] = name[:100].ljust(100, b"\0")
    block[MODE] = b"0000644\0"
    for start in (108, 116):
        block[start : start + 8] = b"0000000\0"
    block[136:148] = b"00000000000\0"
    block[SIZE] = size.rjust(12, b"\0") if isinstance(size, bytes) else b"%011o\0" % size
    block[LINKNAME] = linkname[:100].ljust(100, b"\0")
    block[TYPEFLAG] = flag
    block[MAGIC] = magic
    for start, content in (fields or {}).items():
        block[start : start + len(content)] = content
    return seal(block)


def padded(data: bytes) -> bytes:
    """Data filled up to whole blocks."""
    return data + bytes(-len(data) % BLOCK)


def pax_header(records: list[tuple[bytes, bytes]], flag: bytes = b"x") -> bytes:
    """An extended header with these records."""
    return pax_body(format_records(records), flag)


def pax_body(body: bytes, flag: bytes = b"x") -> bytes:
    """An extended header with this body."""
    return raw_header(b"PaxHeaders.0/x", flag, size=len(body)) + padded(body)


def gnu_long(flag: bytes, text: bytes) -> bytes:
    """A GNU long name (`L`) or long link (`K`)."""
    return raw_header(b"././@LongLink", flag, size=len(text) + 1, magic=GNU_MAGIC) + padded(text + b"\0")


def broken_checksum(block: bytes) -> bytes:
    """The block with a checksum that is not its own."""
    return block[: CHECKSUM.start] + b"0000000\0" + block[CHECKSUM.stop :]


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A descriptor of a directory."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


def apply(
    archive: bytes,
    root: Path,
    mode: WhiteoutMode = WhiteoutMode.OVERLAY,
    limits: ApplyLimits | None = None,
) -> ApplyResult:
    """Apply an archive below `root`."""
    with opened(root) as fd:
        return apply_layer(io.BytesIO(archive), fd, whiteout_mode=mode, limits=limits)
