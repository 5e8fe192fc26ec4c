"""A worker's job: write an image archive of documents and blobs to a client."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from windlass.archive.entry import Kind, TarEntry
from windlass.archive.sink import FdSink
from windlass.archive.writer import TarWriter
from windlass.base.errors import Cancelled
from windlass.spec.digest import parse_digest


class Member(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file of the archive: `data`, or else the blob `digest` of `size` bytes. A name ending in / is a directory."""

    name: str
    data: bytes = b""
    digest: str = ""
    size: int = 0


class SaveParams(msgspec.Struct, frozen=True):
    """The archive's files in their order; each has `mtime_s`, in seconds since the epoch."""

    members: list[Member]
    mtime_s: int = 0


def save_job(params: dict[str, Any], fds: list[int]) -> dict[str, Any]:
    """Write the archive to `fds[0]`, taking blobs from the blob store's directory `fds[1]`.

    Raises:
        Cancelled: the reader went away.
        OSError: a blob is missing, or the host refused.
    """
    wanted = msgspec.convert(params, SaveParams)
    # It may be a client's connection, which the daemon's event loop had.
    os.set_blocking(fds[0], True)
    sink = FdSink(fds[0])
    writer = TarWriter(sink)
    try:
        for member in wanted.members:
            _add(writer, member, wanted.mtime_s, fds[1])
        writer.finish()
    except BrokenPipeError:
        raise Cancelled("the client went away") from None
    return {"size_bytes": sink.count}


def _add(writer: TarWriter, member: Member, mtime_s: int, blobs_fd: int) -> None:
    mtime_ns = mtime_s * 1_000_000_000
    name = member.name.encode()
    if member.name.endswith("/"):
        writer.add(TarEntry(name=name, kind=Kind.DIRECTORY, mode=0o755, mtime_ns=mtime_ns))
    elif member.digest:
        algorithm, _, encoded = parse_digest(member.digest).partition(":")
        fd = os.open(f"{algorithm}/{encoded}", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=blobs_fd)
        try:
            entry = TarEntry(
                name=name, kind=Kind.FILE, size_bytes=member.size, stored_bytes=member.size, mtime_ns=mtime_ns
            )
            writer.add_from(entry, fd)
        finally:
            os.close(fd)
    else:
        size = len(member.data)
        entry = TarEntry(name=name, kind=Kind.FILE, size_bytes=size, stored_bytes=size, mtime_ns=mtime_ns)
        writer.add(entry, member.data)
