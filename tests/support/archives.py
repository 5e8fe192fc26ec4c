"""Archives for tests: well-made ones, raw blocks for the other kind, and a directory to apply them in."""

from __future__ import annotations

import io
import json
import os
import stat
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
from windlass.archive.worker import unpack_job
from windlass.archive.writer import TarWriter
from windlass.base import errors

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


def in_worker(params: Mapping[str, object], fds: list[int]) -> dict[str, object]:
    """Run `unpack_job` as a worker does: in a process of its own. An error of the engine is raised here again."""
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _close_all_but({0, 1, 2, write_fd, *fds})
            with os.fdopen(write_fd, "wb") as pipe:
                pipe.write(json.dumps(_worker_outcome(dict(params), fds)).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(write_fd)
    with os.fdopen(read_fd, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    outcome: dict[str, object] = json.loads(answer)
    if "error" in outcome:
        raise getattr(errors, str(outcome["kind"]))(str(outcome["error"]))
    return outcome


def _close_all_but(kept: set[int]) -> None:
    """A worker has no descriptors of its caller: the other end of its input least of all."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                pass


def _worker_outcome(params: dict[str, object], fds: list[int]) -> dict[str, object]:
    try:
        return unpack_job(params, fds)
    except errors.WindlassError as error:
        kind = next(cls.__name__ for cls in type(error).__mro__ if cls.__module__ == errors.__name__)
        return {"kind": kind, "error": error.message}


def census(directory: Path) -> list[tuple[object, ...]]:
    """What is in a tree, down to inode times: equal before and after means untouched."""
    found = []
    for path in sorted([directory, *directory.rglob("*")]):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found.append((str(path), status.st_mode, status.st_uid, status.st_nlink, status.st_ctime_ns, content))
    return found
