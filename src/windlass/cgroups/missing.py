"""Warnings about limits that a host cannot enforce, in Docker's words.

The limits themselves are left out by whoever writes them; a missing controller is not a failure.
"""

from __future__ import annotations

from collections.abc import Callable

from windlass.cgroups.model import CgroupHost
from windlass.spec.resources import LinuxResources

_NOT_MOUNTED = "or the cgroup is not mounted."

# Controllers of which one must be there, what uses them, and what is said without them.
_RULES: tuple[tuple[tuple[str, ...], Callable[[LinuxResources], bool], str], ...] = (
    (
        ("memory",),
        lambda r: r.memory is not None and bool(r.memory.limit),
        f"Your kernel does not support memory limit capabilities {_NOT_MOUNTED} Limitation discarded.",
    ),
    (
        ("pids",),
        lambda r: r.pids is not None and r.pids.limit > 0,
        f"Your kernel does not support PIDs limit capabilities {_NOT_MOUNTED} PIDs limit discarded.",
    ),
    (
        ("cpu",),
        lambda r: r.cpu is not None and bool(r.cpu.shares),
        f"Your kernel does not support CPU shares {_NOT_MOUNTED} Shares discarded.",
    ),
    (
        ("cpu",),
        lambda r: r.cpu is not None and bool(r.cpu.quota or r.cpu.period),
        "Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.",
    ),
    (
        ("cpuset",),
        lambda r: r.cpu is not None and bool(r.cpu.cpus or r.cpu.mems),
        f"Your kernel does not support cpuset {_NOT_MOUNTED} Cpuset discarded.",
    ),
    (
        ("blkio", "io"),
        lambda r: r.block_io is not None and bool(r.block_io.weight),
        f"Your kernel does not support Block I/O weight {_NOT_MOUNTED} Weight discarded.",
    ),
)


def missing_warnings(host: CgroupHost, resources: LinuxResources) -> tuple[str, ...]:
    """Say which of `resources` were left out because their controller is missing."""
    return tuple(
        text
        for controllers, is_used, text in _RULES
        if is_used(resources) and not any(host.has(name) for name in controllers)
    )
