"""Limits on processes, devices and disks: ulimits, weights, throttles.

Source: https://docs.docker.com/reference/cli/docker/container/run/#ulimit and the flags beside it.
"""

from __future__ import annotations

from windlass.cli.create.units import memory_bytes
from windlass.cli.gotext import parse_int, parse_uint

ULIMITS = frozenset(
    (
        "as",
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    )
)
UNLIMITED = -1
MIN_WEIGHT, MAX_WEIGHT = 10, 1000


def parse_ulimit(text: str) -> dict[str, object]:
    """Parse `nofile=1024[:2048]` into a Ulimit of the API; raises ValueError."""
    name, equals, numbers = text.partition("=")
    if not equals:
        raise ValueError(f"invalid ulimit argument: {text}")
    if name not in ULIMITS:
        raise ValueError(f"invalid ulimit type: {name}")
    parts = numbers.split(":")
    if len(parts) > 2:
        raise ValueError(f"too many limit value arguments - {numbers}, can only have up to two, `soft[:hard]`")
    hard = parse_int(parts[-1], base=10)
    soft = parse_int(parts[0], base=10)
    if hard != UNLIMITED:
        if soft == UNLIMITED:
            raise ValueError(
                f"ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: {hard}"
            )
        if soft > hard:
            raise ValueError(f"ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}")
    return {"Name": name, "Soft": soft, "Hard": hard}


def unique_ulimits(items: list[object]) -> list[object]:
    """Return the limits with the last of each name, in order of name."""
    by_name = {str(item["Name"]): item for item in items if isinstance(item, dict)}
    return [by_name[name] for name in sorted(by_name)]


def _split_device(text: str) -> tuple[str, str]:
    path, separator, value = text.rpartition(":")
    if not separator or not path:
        raise ValueError(f"bad format: {text}")
    if not path.startswith("/dev/"):
        raise ValueError(f"bad format for device path: {text}")
    return path, value


def weight_device(text: str) -> dict[str, object]:
    """Parse `/dev/sda:200` into a WeightDevice of the API; raises ValueError."""
    path, value = _split_device(text)
    try:
        weight = parse_uint(value, 16, 10)
    except ValueError:
        weight = 1
    if weight and not MIN_WEIGHT <= weight <= MAX_WEIGHT:
        raise ValueError(f"invalid weight for device: {text}")
    return {"Path": path, "Weight": weight}


def throttle_bps(text: str) -> dict[str, object]:
    """Parse `/dev/sda:1mb` into a ThrottleDevice of the API, bytes a second; raises ValueError."""
    path, value = _split_device(text)
    try:
        return {"Path": path, "Rate": memory_bytes(value)}
    except ValueError:
        raise ValueError(
            f"invalid rate for device: {text}. The correct format is <device-path>:<number>[<unit>]. Number must be a "
            "positive integer. Unit is optional and can be kb, mb, or gb"
        ) from None


def throttle_iops(text: str) -> dict[str, object]:
    """Parse `/dev/sda:1000` into a ThrottleDevice of the API, operations a second; raises ValueError."""
    path, value = _split_device(text)
    try:
        return {"Path": path, "Rate": parse_uint(value, 64, 10)}
    except ValueError:
        raise ValueError(
            f"invalid rate for device: {text}. The correct format is <device-path>:<number>. Number must be a "
            "positive integer"
        ) from None
