"""From the values of cgroup v1, in which the OCI and Docker think, to those of v2.

Source: runtime-spec config-linux.md; crun(1), "Cgroup v2"; Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

CPU_PERIOD_US = 100_000
_SHARES_MIN, _SHARES_MAX = 2, 262_144
_WEIGHT_MIN, _WEIGHT_MAX = 1, 10_000
_BLKIO_MIN, _BLKIO_MAX = 10, 1000


def cpu_weight(shares: int) -> int:
    """Map shares (2 to 262144) to cpu.weight (1 to 10000); 0 stays 0, which means "not said".

    The linear map that container runtimes agreed on: 1024 shares become 39.
    """
    if shares == 0:
        return 0
    shares = min(max(shares, _SHARES_MIN), _SHARES_MAX)
    return _WEIGHT_MIN + (shares - _SHARES_MIN) * (_WEIGHT_MAX - _WEIGHT_MIN) // (_SHARES_MAX - _SHARES_MIN)


def cpu_max(quota_us: int | None, period_us: int | None) -> str:
    """Give the text of cpu.max, empty when neither is said; a quota of 0 or less is unlimited."""
    if not quota_us and not period_us:
        return ""
    limit = str(quota_us) if quota_us and quota_us > 0 else "max"
    return f"{limit} {period_us or CPU_PERIOD_US}"


def io_weight(weight: int) -> int:
    """Map a blkio weight (10 to 1000) to io.weight (1 to 10000)."""
    if weight == 0:
        return 0
    return 1 + (weight - _BLKIO_MIN) * 9999 // (_BLKIO_MAX - _BLKIO_MIN)


def swap_max(memory_and_swap: int, memory: int | None) -> str:
    """Give the text of memory.swap.max: v2 counts swap alone.

    Raises:
        ValueError: swap without a memory limit, or less than it.
    """
    if memory_and_swap == -1 or (memory == -1 and memory_and_swap == 0):
        return "max"
    if memory_and_swap == 0:
        return ""
    if not memory or memory == -1:
        raise ValueError("unable to set swap limit without memory limit")
    if memory_and_swap < memory:
        raise ValueError("memory+swap limit should be >= memory limit")
    return str(memory_and_swap - memory)


def number_or_max(value: int) -> str:
    """Write -1 as `max`."""
    return "max" if value == -1 else str(value)
