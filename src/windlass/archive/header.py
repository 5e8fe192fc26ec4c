"""The 512-byte header block: field layout, numbers, checksum. Source: POSIX pax; GNU tar manual, "Basic Tar Format"."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from windlass.archive.entry import BLOCK
from windlass.archive.errors import TarCorrupt

NAME = slice(0, 100)
MODE = slice(100, 108)
UID = slice(108, 116)
GID = slice(116, 124)
SIZE = slice(124, 136)
MTIME = slice(136, 148)
CHECKSUM = slice(148, 156)
TYPEFLAG = slice(156, 157)
LINKNAME = slice(157, 257)
MAGIC = slice(257, 265)
UNAME = slice(265, 297)
GNAME = slice(297, 329)
MAJOR = slice(329, 337)
MINOR = slice(337, 345)
PREFIX = slice(345, 500)
STAR_PREFIX = slice(345, 476)
STAR_TRAILER = slice(508, 512)

USTAR_MAGIC = b"ustar\00000"
GNU_MAGIC = b"ustar  \0"
STAR_MAGIC = b"tar\0"

ZERO_BLOCK = bytes(BLOCK)
MAX_SIZE = (1 << 63) - 1

_OCTAL = re.compile(rb"[ \0]*([0-7]*) *(?:\0.*)?\Z", re.DOTALL)
_BASE256 = 0x80
_NEGATIVE = 0x40


@lru_cache(maxsize=4096)
def parse_number(field: bytes) -> int:
    """Return the number in a header field: octal text, or base-256 when the top bit of the first byte is set.

    Base-256 is two's complement, so the result may be negative. An empty field is 0.

    Raises:
        TarCorrupt: neither form.

    Source: GNU tar manual, "Extensions"; star(5), "base-256".
    """
    if field[0] & _BASE256:
        bits = 8 * len(field) - 1
        value = int.from_bytes(field, "big") & ((1 << bits) - 1)
        return value - (1 << bits) if field[0] & _NEGATIVE else value
    match = _OCTAL.match(field)
    if match is None:
        raise TarCorrupt()
    return int(match[1] or b"0", 8)


def parse_size(field: bytes) -> int:
    """Return a size in bytes, between 0 and 2**63 - 1.

    Raises:
        TarCorrupt: negative or larger.
    """
    size = parse_number(field)
    if not 0 <= size <= MAX_SIZE:
        raise TarCorrupt(f"invalid size {size}")
    return size


def parse_text(field: bytes) -> bytes:
    """Return the bytes before the first NUL."""
    return field.partition(b"\0")[0]


class Fields(msgspec.Struct, frozen=True, gc=False):
    """What a header block says by itself, whatever its dialect."""

    name: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    linkname: bytes
    uname: bytes = b""
    gname: bytes = b""
    major: int = 0
    minor: int = 0


def decode(block: bytes) -> Fields:
    """Return the fields of a header block.

    Raises:
        TarCorrupt: a number is malformed, or a size, owner or device number is out of range.
    """
    name = parse_text(block[NAME])
    uid, gid = parse_number(block[UID]), parse_number(block[GID])
    size = parse_size(block[SIZE])
    mtime_ns = parse_number(block[MTIME]) * 1_000_000_000
    linkname = parse_text(block[LINKNAME])
    mode = parse_number(block[MODE])
    if uid < 0 or gid < 0:
        raise TarCorrupt("invalid owner")
    magic = block[MAGIC]
    # Its version is not looked at: some writers leave it blank.
    if magic.startswith(USTAR_MAGIC[:6]):
        prefix = parse_text(block[STAR_PREFIX if block[STAR_TRAILER] == STAR_MAGIC else PREFIX])
        if prefix:
            name = prefix + b"/" + name
    elif magic != GNU_MAGIC:
        return Fields(name, mode, uid, gid, size, mtime_ns, linkname)
    major, minor = _parse_device(block[MAJOR]), _parse_device(block[MINOR])
    uname, gname = parse_text(block[UNAME]), parse_text(block[GNAME])
    return Fields(name, mode, uid, gid, size, mtime_ns, linkname, uname, gname, major, minor)


def _parse_device(field: bytes) -> int:
    number = parse_number(field)
    if not 0 <= number < 1 << 32:
        raise TarCorrupt("invalid device number")
    return number


def has_valid_checksum(block: bytes) -> bool:
    """Tell whether the block's sum, taken with a blank checksum field, is the one stored; signed sums count too."""
    stored = parse_number(block[CHECKSUM])
    # The blank field adds eight spaces.
    total: int = sum(block) - sum(block[CHECKSUM]) + 8 * 0x20
    if stored == total:
        return True
    # Historic writers summed signed chars: each byte above 127 counts 256 less.
    high = sum(1 for byte in block[:148] + block[156:] if byte > 127)
    return stored == total - 256 * high


def format_number(value: int, width: int) -> bytes:
    """Return `value` as zero-padded octal ended by NUL, or as base-256 when it does not fit or is negative.

    Raises:
        ValueError: base-256 does not hold it either.
    """
    if is_octal(value, width):
        return b"%0*o\0" % (width - 1, value)
    bits = 8 * width - 2
    if not -(1 << bits) <= value < 1 << bits:
        raise ValueError(f"{value} does not fit a tar field of {width} bytes")
    raw = (value & ((1 << (8 * width)) - 1)) | _BASE256 << 8 * (width - 1)
    return raw.to_bytes(width, "big")


def is_octal(value: int, width: int) -> bool:
    """Tell whether `value` fits an octal field of `width` bytes."""
    return 0 <= value < 1 << 3 * (width - 1)


def seal(block: bytearray) -> bytes:
    """Fill in the checksum of a header block and return it."""
    block[CHECKSUM] = b" " * 8
    block[CHECKSUM] = b"%06o\0 " % sum(block)
    return bytes(block)
