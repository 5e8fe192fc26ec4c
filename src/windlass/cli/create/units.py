"""Sizes, fractions of processors and durations, as flags spell them.

Source: the units of https://docs.docker.com/reference/cli/docker/container/run/ (memory in powers of 1024).
"""

from __future__ import annotations

from windlass.cli.gotext import quoted

BINARY_SUFFIXES = "bkmgtpe"
NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
NANOS_PER_CPU = 1_000_000_000
UNLIMITED = -1


def memory_bytes(text: str) -> int:
    """Parse `512m`, `1.5g`, `1 GiB` or plain bytes; raises ValueError."""
    cut = max((text.rfind(digit) for digit in "0123456789. "), default=-1)
    if cut < 0:
        raise ValueError(f"invalid size: '{text}'")
    number_text, suffix = text[: cut + 1], text[cut + 1 :]
    if text[cut] == " ":
        number_text = text[:cut]
    try:
        if "_" in number_text or number_text != number_text.strip():
            raise ValueError
        number = float(number_text)
    except ValueError:
        raise ValueError(f"invalid size: '{text}'") from None
    if number < 0 or number != number:
        raise ValueError(f"invalid size: '{text}'")
    return int(number * _multiplier(suffix))


def _multiplier(suffix: str) -> int:
    lowered = suffix.lower()
    if not lowered:
        return 1
    exponent = BINARY_SUFFIXES.find(lowered[0])
    whole = ("b",) if lowered[0] == "b" else (lowered[0], f"{lowered[0]}b", f"{lowered[0]}ib")
    if exponent < 0 or lowered not in whole:
        raise ValueError(f"invalid suffix: '{lowered}'")
    return int(1024**exponent)


def memory_swap_bytes(text: str) -> int:
    """Parse a size, or -1 for unlimited; raises ValueError."""
    return UNLIMITED if text == "-1" else memory_bytes(text)


def nano_cpus(text: str) -> int:
    """Parse a number of processors into billionths of one; raises ValueError."""
    from fractions import Fraction

    try:
        value = Fraction(text.replace(" ", "x")) * NANOS_PER_CPU
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"failed to parse {text} as a rational number") from None
    if value.denominator != 1:
        raise ValueError("value is too precise")
    return int(value)


def duration_ns(text: str) -> int:
    """Parse `1m30s`, `250ms`, `-1.5h` or `0` into nanoseconds; raises ValueError.

    Source: https://pkg.go.dev/time#ParseDuration
    """
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0
    if not body:
        raise ValueError(f"time: invalid duration {quoted(text)}")
    total = 0
    while body:
        digits = _leading(body, "0123456789.")
        body = body[len(digits) :]
        if not digits.strip(".") or digits.count(".") > 1:
            raise ValueError(f"time: invalid duration {quoted(text)}")
        unit = _leading_unit(body)
        if not unit:
            raise ValueError(f"time: missing unit in duration {quoted(text)}")
        if unit not in NANOSECONDS:
            raise ValueError(f"time: unknown unit {quoted(unit)} in duration {quoted(text)}")
        body = body[len(unit) :]
        total += _scaled(digits, NANOSECONDS[unit])
    return -total if text[0] == "-" else total


def _leading(text: str, alphabet: str) -> str:
    return text[: len(text) - len(text.lstrip(alphabet))]


def _leading_unit(text: str) -> str:
    end = 0
    while end < len(text) and text[end] not in "0123456789.":
        end += 1
    return text[:end]


def _scaled(digits: str, unit_ns: int) -> int:
    whole, _, fraction = digits.partition(".")
    value = int(whole or "0") * unit_ns
    return value + (int(fraction) * unit_ns // 10 ** len(fraction) if fraction else 0)
