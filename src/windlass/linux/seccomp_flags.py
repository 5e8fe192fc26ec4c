"""Which flags of seccomp(2) the kernel knows.

Source: seccomp(2), "SECCOMP_SET_MODE_FILTER"; seccomp_set_mode_filter() in kernel/seccomp.c.
"""

from __future__ import annotations

import errno

from windlass.linux._libc import SYS_SECCOMP, check, libc

_SET_MODE_FILTER = 1
_NEW_LISTENER = 1 << 3
_WAIT_KILLABLE_RECV = 1 << 5


def knows_flags(flags: int) -> bool:
    """Tell whether the kernel takes SECCOMP_FILTER_FLAG_* bits: it looks at them before it misses the program."""
    if flags & _WAIT_KILLABLE_RECV:
        # It is one of listeners, and refused without.
        flags |= _NEW_LISTENER
    try:
        check(libc.syscall(SYS_SECCOMP, _SET_MODE_FILTER, flags, None), "seccomp")
    except OSError as error:
        return error.errno == errno.EFAULT
    return False
