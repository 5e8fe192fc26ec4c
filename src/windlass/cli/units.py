"""Sizes and spans of time for people.

Source: https://pkg.go.dev/github.com/docker/go-units
"""

from __future__ import annotations

DECIMAL_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
HOUR_S = 3600
# Where each unit takes over from the one before, and how many hours it has.
LONG_UNITS = (("days", 48, 24), ("weeks", 14 * 24, 7 * 24), ("months", 60 * 24, 30 * 24), ("years", 730 * 24, 365 * 24))


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
    return f"{float(size):.{precision}g}{units[step]}"


def human_duration(seconds: float) -> str:
    """Return `3 minutes`, `About an hour`, `2 weeks`: one unit, rounded down but for hours."""
    whole = int(seconds)
    if whole < 1:
        return "Less than a second"
    if whole < 60:
        return "1 second" if whole == 1 else f"{whole} seconds"
    if whole < HOUR_S:
        return "About a minute" if whole < 120 else f"{whole // 60} minutes"
    hours = int(whole / HOUR_S + 0.5)
    if hours == 1:
        return "About an hour"
    name, length = "hours", 1
    for unit, begins, hours_each in LONG_UNITS:
        if hours >= begins:
            name, length = unit, hours_each
    return f"{hours // length} {name}"
