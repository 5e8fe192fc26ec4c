"""From the values of cgroup v1, in which the OCI and Docker think, to those of v2: one definition, the same limits.

| field of LinuxResources      | v1                              | v2                                                 |
|------------------------------|---------------------------------|----------------------------------------------------|
| memory.limit                 | memory.limit_in_bytes           | memory.max; -1 is `max`                            |
| memory.swap                  | memory.memsw.limit_in_bytes     | memory.swap.max = swap - limit; -1 is `max`        |
| memory.reservation           | memory.soft_limit_in_bytes      | memory.low; -1 is `max`                            |
| memory.kernelTCP, kernel     | memory.kmem[.tcp].limit_in_bytes| missing                                            |
| memory.swappiness            | memory.swappiness               | missing                                            |
| memory.disableOOMKiller true | memory.oom_control              | missing                                            |
| memory.useHierarchy          | memory.use_hierarchy            | always; false is missing                           |
| cpu.shares (2 to 262144)     | cpu.shares                      | cpu.weight (1 to 10000) = `cpu_weight(shares)`     |
| cpu.quota, cpu.period        | cpu.cfs_quota_us, cfs_period_us | cpu.max = `quota period`; quota of -1 is `max`     |
| cpu.burst, cpu.idle          | cpu.cfs_burst_us, cpu.idle      | cpu.max.burst, cpu.idle                            |
| cpu.realtime*                | cpu.rt_*_us                     | missing                                            |
| cpu.cpus, cpu.mems           | cpuset.cpus, cpuset.mems        | the same                                           |
| pids.limit                   | pids.max                        | pids.max                                           |
| blockIO.weight (10 to 1000)  | blkio[.bfq].weight              | io.bfq.weight as it is, io.weight = `io_weight()`  |
| blockIO.weightDevice         | blkio[.bfq].weight_device       | lines of the same two files                        |
| blockIO.leafWeight           | blkio.leaf_weight               | missing                                            |
| blockIO.throttleReadBps, ... | blkio.throttle.*_device         | io.max `rbps=`, `wbps=`, `riops=`, `wiops=`; 0: max|
| hugepageLimits               | hugetlb.SIZE[.rsvd].limit_in_.. | hugetlb.SIZE[.rsvd].max                            |
| network                      | net_cls.classid, net_prio...    | missing                                            |
| rdma                         | rdma.max                        | rdma.max                                           |
| devices                      | devices.deny, devices.allow     | a BPF program                                      |
| unified                      | refused                         | as it is, last                                     |

"Missing" is reported to the caller as a `MissingLimit`; values that mean "not said" (0, -1 for swap) are not.

Source: runtime-spec config-linux.md; crun(1), "Cgroup v2"; Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

CPU_PERIOD_US = 100_000
SHARES_MIN, SHARES_MAX = 2, 262_144
_WEIGHT_MIN, _WEIGHT_MAX = 1, 10_000
BLKIO_MIN, BLKIO_MAX = 10, 1000


def cpu_weight(shares: int) -> int:
    """Map shares (2 to 262144) to cpu.weight (1 to 10000); 0 stays 0, which means "not said".

    A curve through the three points that matter, on which runc and crun agree: the minima, the maxima, and the defaults
    of those who say nothing (1024 shares and a weight of 100), so that proportions to these stay near the same.
    """
    from math import ceil, log2

    if shares == 0:
        return 0
    if shares <= SHARES_MIN:
        return _WEIGHT_MIN
    if shares >= SHARES_MAX:
        return _WEIGHT_MAX
    power = log2(shares)
    # Rounding noise must not lift an exact value (1024 shares: exactly 100) to the next integer.
    return ceil(round(10 ** ((power * power + 125 * power) / 612 - 7 / 34), 9))


def cpu_max(quota_us: int | None, period_us: int | None, present: str = "") -> str:
    """Give the text of cpu.max, empty when neither is said; a quota of 0 or less is unlimited.

    `present` is what cpu.max says now, for the part that is not said; nothing in a fresh group.
    """
    if not quota_us and not period_us:
        return ""
    old_quota, _, old_period = (present.strip() or "max").partition(" ")
    limit = old_quota if not quota_us else str(quota_us) if quota_us > 0 else "max"
    return f"{limit} {period_us or old_period or CPU_PERIOD_US}"


def io_weight(weight: int) -> int:
    """Map a blkio weight (10 to 1000) to io.weight (1 to 10000)."""
    if weight == 0:
        return 0
    return 1 + (weight - BLKIO_MIN) * 9999 // (BLKIO_MAX - BLKIO_MIN)


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


def throttle_rate(rate: int) -> str:
    """Write a rate of io.max; 0 takes a limit away, as it does on v1."""
    return str(rate) if rate else "max"
