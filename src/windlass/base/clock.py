"""Wall-clock time in nanoseconds and its RFC 3339 text."""

from __future__ import annotations

import calendar
import re
import time

ZERO_TIME = "0001-01-01T00:00:00Z"

_RFC3339 = re.compile(
    r"\A(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))\Z"
)


def now_ns() -> int:
    """Nanoseconds since the Unix epoch."""
    return time.time_ns()


def rfc3339_nano(time_ns: int) -> str:
    """Format nanoseconds since the epoch as UTC RFC 3339 with a nine-digit fraction; 0 gives Go's zero time."""
    if time_ns == 0:
        return ZERO_TIME
    seconds, fraction = divmod(time_ns, 1_000_000_000)
    t = time.gmtime(seconds)
    return (
        f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d}T{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}.{fraction:09d}Z"
    )


def parse_rfc3339(text: str) -> int:
    """Return the nanoseconds since the epoch of an RFC 3339 text; 0 for Go's zero time.

    Raises:
        ValueError: not such a text.
    """
    match = _RFC3339.match(text)
    if match is None:
        raise ValueError(f"not an RFC 3339 time: {text[:40]!r}")
    *date, fraction, sign, hours, minutes = match.groups()
    if date[0] == "0001":
        return 0
    seconds = calendar.timegm(tuple(int(part) for part in date))
    if sign:
        offset = int(hours) * 3600 + int(minutes) * 60
        seconds -= offset if sign == "+" else -offset
    return seconds * 1_000_000_000 + int((fraction or "").ljust(9, "0"))
