"""Times as clients write them: Unix seconds with a fraction, durations before now, or RFC 3339.

Source: Engine API, parameters `since` and `until`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from windlass.base.errors import InvalidParameter

_NS = 1_000_000_000
_UNIX = re.compile(r"\A(-?\d+)(?:\.(\d+))?\Z")
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": _NS,
    "m": 60 * _NS,
    "h": 3600 * _NS,
}
_DIGITS_NS = 9


def parse_time_ns(text: str, now_ns: int) -> int:
    """Return the time that `text` means in nanoseconds since the epoch.

    Raises:
        InvalidParameter: none of the forms.
    """
    if match := _UNIX.match(text):
        fraction = (match[2] or "")[:_DIGITS_NS].ljust(_DIGITS_NS, "0")
        return int(match[1]) * _NS + int(fraction)
    duration_ns = _duration_ns(text)
    if duration_ns is not None:
        return now_ns - duration_ns
    return _rfc3339_ns(text)


def go_duration(duration_ns: int) -> str:
    """Return a duration as Go prints it: `1m30s`, `1.5s`, `500ms`."""
    if duration_ns < _NS:
        for unit, size in (("ms", 1_000_000), ("µs", 1_000), ("ns", 1)):
            if duration_ns >= size:
                return f"{_plain(duration_ns, size)}{unit}"
        return "0s"
    minutes, rest_ns = divmod(duration_ns, 60 * _NS)
    seconds = f"{_plain(rest_ns, _NS)}s"
    if not minutes:
        return seconds
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}"


def _plain(value: int, unit: int) -> str:
    """A quotient without needless digits."""
    whole, rest = divmod(value, unit)
    digits = f"{rest:0{len(str(unit)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)


def _duration_ns(text: str) -> int | None:
    position, total = 0, 0.0
    for match in _DURATION_PART.finditer(text):
        if match.start() != position:
            return None
        total += float(match[1]) * _UNITS_NS[match[2]]
        position = match.end()
    return int(total) if text and position == len(text) else None


def _rfc3339_ns(text: str) -> int:
    # `datetime` keeps microseconds only: the fraction is taken by itself.
    whole, dot, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))] if dot else ""
    try:
        moment = datetime.fromisoformat(whole + (rest[len(digits) :] if dot else ""))
    except ValueError:
        raise InvalidParameter(f'invalid time: cannot parse "{text}"') from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * _NS + int((digits[:_DIGITS_NS] or "0").ljust(_DIGITS_NS, "0"))
