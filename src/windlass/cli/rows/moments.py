"""Points in time, as the API has them and as people read them."""

from __future__ import annotations

import time

from windlass.cli.units import human_duration

SECONDS_PER_DAY = 86400
_CUMULATIVE_DAYS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def ago(seconds: float) -> str:
    """Return `3 minutes ago` for seconds since the epoch."""
    return human_duration(time.time() - seconds) + " ago"


def local_text(seconds: int, fraction: str = "") -> str:
    """Return `2026-11-21 03:14:04 +0000 UTC`, as Go prints a local time; `fraction` is `.123` or empty."""
    moment = time.localtime(seconds)
    return time.strftime(f"%Y-%m-%d %H:%M:%S{fraction} %z %Z", moment)


def local_rfc3339(seconds: int) -> str:
    """Return `2026-11-21T03:14:04Z`, or with the local offset."""
    moment = time.localtime(seconds)
    offset = time.strftime("%z", moment)
    zone = "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}"
    return time.strftime("%Y-%m-%dT%H:%M:%S", moment) + zone


def parse_rfc3339(text: str) -> float:
    """Return seconds since the epoch for `2026-11-21T03:14:04.5Z` or one with an offset; raises ValueError.

    Source: RFC 3339 section 5.6.
    """
    if len(text) < 20 or text[10] not in "Tt ":
        raise ValueError(f"not an RFC 3339 time: {text}")
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    clock, zone = _split_zone(text[11:])
    hours, minutes, seconds = clock.split(":")
    leap = month > 2 and (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 + _CUMULATIVE_DAYS[month - 1] + day - 1 + leap
    epoch = 1969 * 365 + 1969 // 4 - 1969 // 100 + 1969 // 400
    return (days - epoch) * SECONDS_PER_DAY + int(hours) * 3600 + int(minutes) * 60 + float(seconds) - zone


def _split_zone(text: str) -> tuple[str, int]:
    if text[-1] in "Zz":
        return text[:-1], 0
    sign = -1 if text[-6] == "-" else 1
    return text[:-6], sign * (int(text[-5:-3]) * 3600 + int(text[-2:]) * 60)
