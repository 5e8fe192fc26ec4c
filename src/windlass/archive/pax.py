"""PAX extended headers: `length key=value\\n` records. Source: POSIX pax, "pax Extended Header"."""

from __future__ import annotations

import re

from windlass.archive.errors import TarCorrupt

MAX_BLOCK_BYTES = 1 << 20
XATTR_PREFIX = b"SCHILY.xattr."

_NO_NUL = frozenset((b"path", b"linkpath", b"uname", b"gname"))
_DECIMAL = re.compile(rb"-?[0-9]{1,20}\Z")
_TIME = re.compile(rb"(-?)([0-9]{0,20})(?:\.([0-9]*))?\Z")

Records = list[tuple[bytes, bytes]]


def parse_records(data: bytes) -> Records:
    """Return the records of one extended header in order; repeated keys stay repeated (sparse maps need them).

    Raises:
        TarCorrupt: a length, a separator or a name is malformed.
    """
    records: Records = []
    position, end = 0, len(data)
    while position < end:
        space = data.find(b" ", position, position + 12)
        digits = data[position:space] if space > 0 else b""
        if not digits.isdigit():
            raise TarCorrupt()
        stop = position + int(digits)
        if stop > end or stop <= space + 1 or data[stop - 1] != 0x0A:
            raise TarCorrupt()
        key, equals, value = data[space + 1 : stop - 1].partition(b"=")
        if not equals or not key or b"\0" in key or (b"\0" in value and key in _NO_NUL):
            raise TarCorrupt()
        records.append((key, value))
        position = stop
    return records


def format_records(records: Records) -> bytes:
    """Return the records as the body of an extended header, in the given order."""
    return b"".join(_format_record(key, value) for key, value in records)


def _format_record(key: bytes, value: bytes) -> bytes:
    body = b" " + key + b"=" + value + b"\n"
    # The length counts its own digits.
    length = len(body)
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body


def parse_integer(text: bytes) -> int:
    """Return a decimal number.

    Raises:
        TarCorrupt: not one.
    """
    if not _DECIMAL.match(text):
        raise TarCorrupt()
    return int(text)


def parse_time_ns(text: bytes) -> int:
    """Return a decimal time in seconds, with or without a fraction, as nanoseconds since the epoch.

    Digits below a nanosecond are cut.

    Raises:
        TarCorrupt: not a time.
    """
    match = _TIME.match(text)
    if match is None or not (match[2] or match[3]):
        raise TarCorrupt()
    nanoseconds = int(match[2] or b"0") * 1_000_000_000 + int((match[3] or b"")[:9].ljust(9, b"0"))
    return -nanoseconds if match[1] else nanoseconds


def format_time_ns(time_ns: int) -> bytes:
    """Return nanoseconds as seconds with a fraction free of trailing zeros."""
    seconds, fraction = divmod(abs(time_ns), 1_000_000_000)
    sign = "-" if time_ns < 0 else ""
    return f"{sign}{seconds}.{fraction:09d}".rstrip("0").rstrip(".").encode()
