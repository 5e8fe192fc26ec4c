"""Wall-clock time in nanoseconds and its RFC 3339 text."""

from __future__ import annotations

import time

ZERO_TIME = "0001-01-01T00:00:00Z"


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
        f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d}T"
        f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}.{fraction:09d}Z"
    )
