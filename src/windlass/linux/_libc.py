"""The C library by ctypes: one handle, one way to check a result, syscall numbers per machine."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
else:
    from windlass.linux import native as ctypes

libc = ctypes.CDLL(None, use_errno=True)

_X86_64 = {
    "rt_sigaction": 13,
    "pivot_root": 155,
    "set_mempolicy": 238,
    "keyctl": 250,
    "ioprio_set": 251,
    "sched_setattr": 314,
    "seccomp": 317,
    "memfd_create": 319,
}
_AARCH64 = {
    "ioprio_set": 30,
    "pivot_root": 41,
    "rt_sigaction": 134,
    "keyctl": 219,
    "set_mempolicy": 237,
    "sched_setattr": 274,
    "seccomp": 277,
    "memfd_create": 279,
}
_NUMBERS = {"x86_64": _X86_64, "aarch64": _AARCH64}.get(os.uname().machine, {})

# From number 424 up, all architectures agree.
SYS_OPEN_TREE = 428
SYS_MOVE_MOUNT = 429
SYS_FSOPEN = 430
SYS_FSCONFIG = 431
SYS_FSMOUNT = 432
SYS_CLOSE_RANGE = 436
SYS_OPENAT2 = 437
SYS_FSPICK = 433
SYS_PIDFD_GETFD = 438
SYS_MOUNT_SETATTR = 442
SYS_SCHED_SETATTR = _NUMBERS.get("sched_setattr", -1)
SYS_IOPRIO_SET = _NUMBERS.get("ioprio_set", -1)
SYS_SET_MEMPOLICY = _NUMBERS.get("set_mempolicy", -1)
SYS_RT_SIGACTION = _NUMBERS.get("rt_sigaction", -1)
SYS_KEYCTL = _NUMBERS.get("keyctl", -1)
SYS_SECCOMP = _NUMBERS.get("seccomp", -1)
SYS_PIVOT_ROOT = _NUMBERS.get("pivot_root", -1)
SYS_MEMFD_CREATE = _NUMBERS.get("memfd_create", -1)


def check(rc: int, what: str, path: str | bytes | None = None) -> int:
    """Return `rc`, or raise OSError with errno, the call's name and `path` when it is -1."""
    if rc != -1:
        return rc
    number = ctypes.get_errno()
    text = f"{what}: {os.strerror(number)}"
    if path is None:
        raise OSError(number, text)
    raise OSError(number, text, path)
