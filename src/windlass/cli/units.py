"""Sizes and spans of time for people.

Source: https://pkg.go.dev/github.com/docker/go-units
"""

from __future__ import annotations

DECIMAL_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
MINUTE_S, HOUR_S, DAY_S, WEEK_S = 60, 3600, 86400, 7 * 86400
MONTH_S, YEAR_S = 30 * DAY_S, 365 * DAY_S


def human_size(size_bytes: float, precision: int = 4) -> str:
    """Return `1.984MB`: decimal units, at most `precision` significant digits."""
    return _scaled(size_bytes, 1000.0, DECIMAL_UNITS, precision)


def binary_size(size_bytes: float) -> str:
    """Return `23.54GiB`: binary units, four significant digits."""
    return _scaled(size_bytes, 1024.0, BINARY_UNITS, 4)


def _scaled(size: float, base: float, units: tuple[str, ...], precision: int) -> str:
    step = 0
    while size >= base and step < len(units) - 1:
        size /= base
        step += 1
    return f"{_general(float(size), precision)}{units[step]}"


def _general(value: float, precision: int) -> str:
    """Go's %.*g, whose exponent has two digits as Python's."""
    return f"{value:.{precision}g}"


def human_duration(seconds: float) -> str:
    """Return `3 minutes`, `About an hour`, `2 weeks`: one unit, rounded down."""
    whole = int(seconds)
    if whole < 1:
        return "Less than a second"
    if whole == 1:
        return "1 second"
    if whole < MINUTE_S:
        return f"{whole} seconds"
    minutes = whole // MINUTE_S
    if minutes == 1:
        return "About a minute"
    if minutes < 60:
        return f"{minutes} minutes"
    hours = int(whole / HOUR_S + 0.5)
    if hours == 1:
        return "About an hour"
    if hours < 48:
        return f"{hours} hours"
    if hours < 24 * 7 * 2:
        return f"{hours // 24} days"
    if hours < 24 * 30 * 2:
        return f"{hours // 24 // 7} weeks"
    if hours < 24 * 365 * 2:
        return f"{hours // 24 // 30} months"
    return f"{int(whole / HOUR_S) // 24 // 365} years"
