"""How the kernel schedules the calling process: CPU policy, I/O priority, NUMA policy; and its execution domain.

Source: sched_setattr(2), ioprio_set(2), set_mempolicy(2), personality(2).
"""

from __future__ import annotations

import sys

from windlass.linux._libc import SYS_IOPRIO_SET, SYS_SCHED_SETATTR, SYS_SET_MEMPOLICY, check, libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
    from collections.abc import Sequence
else:
    from windlass.linux import native as ctypes

_SCHED_ATTR_BYTES = 48
_IOPRIO_WHO_PROCESS = 1
_IOPRIO_CLASS_SHIFT = 13
_BITS_PER_BYTE = 8


def set_scheduler(
    policy: int,
    *,
    flags: int = 0,
    nice: int = 0,
    priority: int = 0,
    runtime: int = 0,
    deadline: int = 0,
    period: int = 0,
) -> None:
    """Set SCHED_* `policy` with its attributes; times in nanoseconds."""
    attr = b"".join(
        (
            _SCHED_ATTR_BYTES.to_bytes(4, sys.byteorder),
            policy.to_bytes(4, sys.byteorder),
            flags.to_bytes(8, sys.byteorder),
            nice.to_bytes(4, sys.byteorder, signed=True),
            priority.to_bytes(4, sys.byteorder),
            *(time.to_bytes(8, sys.byteorder) for time in (runtime, deadline, period)),
        )
    )
    check(libc.syscall(SYS_SCHED_SETATTR, 0, attr, 0), "sched_setattr")


def set_io_priority(io_class: int, level: int) -> None:
    """Set the I/O scheduling class and the level within it."""
    value = io_class << _IOPRIO_CLASS_SHIFT | level
    check(libc.syscall(SYS_IOPRIO_SET, _IOPRIO_WHO_PROCESS, 0, value), "ioprio_set")


def set_memory_policy(mode: int, nodes: Sequence[int]) -> None:
    """Set MPOL_* `mode` with its flags over `nodes`."""
    size = max(nodes, default=0) // _BITS_PER_BYTE + 1
    # The kernel reads whole words, and one bit less than it is told.
    mask = bytearray(-(-size // 8) * 8)
    for node in nodes:
        mask[node // _BITS_PER_BYTE] |= 1 << node % _BITS_PER_BYTE
    buffer = (ctypes.c_char * len(mask)).from_buffer(mask)
    count = len(mask) * _BITS_PER_BYTE + 1 if nodes else 0
    check(libc.syscall(SYS_SET_MEMPOLICY, mode, buffer if nodes else None, ctypes.c_ulong(count)), "set_mempolicy")


def set_personality(value: int) -> None:
    """Set the execution domain, PER_* with flags."""
    check(libc.personality(ctypes.c_ulong(value)), "personality")
