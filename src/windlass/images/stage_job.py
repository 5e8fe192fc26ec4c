"""A worker's job: take an image archive apart into plain files, without believing anything it says.

Nothing of the archive's becomes a path: files are numbered, and which name each had is written to a table beside them.
Modes, owners and everything that is neither a file nor a link are ignored.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

import msgspec

from windlass.archive.compression import DecodedStream
from windlass.archive.confine import confine
from windlass.archive.entry import Kind, TarEntry
from windlass.archive.errors import TarCorrupt, TooLarge, explained
from windlass.archive.paths import clean
from windlass.archive.reader import TarReader
from windlass.archive.source import FdStream

TABLE = "table.json"
TABLE_LIMIT_BYTES = 16 << 20

_MAX_ENTRIES = 8192
_MAX_NAME_BYTES = 1024
_MAX_BYTES = 1 << 40
_PIECE_BYTES = 1 << 20


class StagedFile(msgspec.Struct, frozen=True):
    """A file of the archive: its number in the staging directory, its size in bytes, its digest."""

    number: int
    size: int
    digest: str


class Table(msgspec.Struct):
    """What the archive held: files and links (symbolic or hard) by their cleaned names; `count` numbers files."""

    files: dict[str, StagedFile] = {}
    links: dict[str, str] = {}
    count: int = 0


class StageParams(msgspec.Struct, frozen=True):
    """`confined` says that the process may be chrooted into the staging directory, which is for good."""

    confined: bool = True


def stage_job(params: dict[str, Any], fds: list[int]) -> dict[str, Any]:
    """Take the archive read from `fds[0]`, compressed or not, apart into the directory `fds[1]`.

    Raises:
        TarCorrupt, TarTruncated, StreamCorrupt: the archive is not whole.
        TooLarge: it holds too much.
        System: the host refused.
    """
    wanted = msgspec.convert(params, StageParams)
    table = Table()
    try:
        if wanted.confined:
            confine(fds[1], trusted_xattrs=False)
        # One decoder decides about the whole stream: a layer inside is compressed by itself, and stays so.
        reader = TarReader(DecodedStream(FdStream(fds[0])))
        total = 0
        for count, entry in enumerate(reader, start=1):
            total += entry.size_bytes
            if count > _MAX_ENTRIES:
                raise TooLarge("number of entries of an image archive", _MAX_ENTRIES)
            if total > _MAX_BYTES:
                raise TooLarge("size of an image archive", _MAX_BYTES)
            _stage(reader, entry, fds[1], table)
        reader.drain()
        _write_table(fds[1], table)
    except OSError as error:
        raise explained(error) from error
    return {"entries": len(table.files) + len(table.links)}


def _stage(reader: TarReader, entry: TarEntry, directory_fd: int, table: Table) -> None:
    name = _text(entry.name)
    if entry.kind is Kind.FILE:
        if entry.sparse is not None:
            raise TarCorrupt("sparse file in an image archive")
        # A later entry of the same name replaces the earlier one, as it would in a directory.
        table.links.pop(name, None)
        table.files[name] = _copy(reader, table.count, directory_fd)
        table.count += 1
    elif entry.kind is Kind.SYMLINK:
        table.files.pop(name, None)
        base = entry.name.rpartition(b"/")[0]
        table.links[name] = _text(entry.linkname if entry.linkname[:1] == b"/" else base + b"/" + entry.linkname)
    elif entry.kind is Kind.HARDLINK:
        table.files.pop(name, None)
        table.links[name] = _text(entry.linkname)


def _text(name: bytes) -> str:
    if len(name) > _MAX_NAME_BYTES:
        raise TooLarge("length of a name in an image archive", _MAX_NAME_BYTES)
    return clean(name).decode("utf-8", "backslashreplace")


def _copy(reader: TarReader, number: int, directory_fd: int) -> StagedFile:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(str(number), flags, 0o600, dir_fd=directory_fd)
    hasher = hashlib.sha256()
    size = 0
    try:
        while view := reader.read_view(_PIECE_BYTES):
            hasher.update(view)
            size += len(view)
            while view:
                view = view[os.write(fd, view) :]
    finally:
        os.close(fd)
    return StagedFile(number, size, f"sha256:{hasher.hexdigest()}")


def _write_table(directory_fd: int, table: Table) -> None:
    data = msgspec.json.encode(table)
    if len(data) > TABLE_LIMIT_BYTES:
        raise TooLarge("table of an image archive", TABLE_LIMIT_BYTES)
    fd = os.open(TABLE, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory_fd)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
