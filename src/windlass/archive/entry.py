"""One member of an archive, whatever dialect of tar it came in."""

from __future__ import annotations

from enum import Enum

import msgspec

BLOCK = 512


class Kind(Enum):
    """What an entry makes. The value is its typeflag. Source: POSIX pax, "ustar Interchange Format"."""

    FILE = b"0"
    HARDLINK = b"1"
    SYMLINK = b"2"
    CHAR = b"3"
    BLOCK = b"4"
    DIRECTORY = b"5"
    FIFO = b"6"


class Segment(msgspec.Struct, frozen=True, gc=False):
    """A run of stored data in a sparse file, in bytes; what lies between runs is a hole."""

    offset: int
    length: int


class TarEntry(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A header, decoded. Names are bytes exactly as stored; `mode` holds the twelve permission bits.

    `size_bytes` is the size of the file; `stored_bytes` is what the archive holds of it, smaller only when `sparse`
    lists its runs. Both are 0 for anything but a regular file.
    """

    name: bytes
    kind: Kind
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size_bytes: int = 0
    stored_bytes: int = 0
    mtime_ns: int = 0
    linkname: bytes = b""
    uname: bytes = b""
    gname: bytes = b""
    major: int = 0
    minor: int = 0
    xattrs: dict[bytes, bytes] = {}
    sparse: tuple[Segment, ...] | None = None
