"""Attributes of the calling process: prctl, keyrings, seccomp, descriptors.

Source: prctl(2), keyctl(2), seccomp(2), close_range(2).
"""

from __future__ import annotations

import errno
import os
import sys

from windlass.linux._libc import (
    SYS_CLOSE_RANGE,
    SYS_KEYCTL,
    SYS_PIDFD_GETFD,
    SYS_RT_SIGACTION,
    SYS_SECCOMP,
    check,
    libc,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
else:
    from windlass.linux import native as ctypes

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_NAME = 15
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
PR_CAP_AMBIENT_CLEAR_ALL = 4

SECCOMP_FILTER_FLAG_NEW_LISTENER = 1 << 3

_SECCOMP_SET_MODE_FILTER = 1
_KEYCTL_JOIN_SESSION_KEYRING = 1
_CLOSE_RANGE_CLOEXEC = 4
_GLIBC_SIGNALS = (32, 33)
_M_ARENA_MAX = -8
_M_MMAP_THRESHOLD = -3
_M_TRIM_THRESHOLD = -1
_LARGE_BUFFERS_BYTES = 16 << 20
_KERNEL_SIGACTION_BYTES = 32
_FILTER_SIZE = 8


# A function object of our own, whose prototype nobody else shares: prctl(2) takes as many arguments as it likes.
_prctl = libc["prctl"]
_prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)


class _SockFprog(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def prctl(option: int, arg2: int = 0, arg3: int = 0, arg4: int = 0, arg5: int = 0) -> int:
    """prctl(2) with integer arguments."""
    rc: int = _prctl(option, arg2, arg3, arg4, arg5)
    return rc if rc != -1 else check(rc, f"prctl {option}")


def set_name(name: str) -> None:
    """Set the thread's name, at most 15 bytes, as `ps` shows it."""
    check(libc.prctl(PR_SET_NAME, name.encode()[:15], 0, 0, 0), "prctl PR_SET_NAME")


def set_dumpable(dumpable: bool) -> None:
    """Allow or forbid that others look into this process through /proc and ptrace."""
    prctl(PR_SET_DUMPABLE, int(dumpable))


def set_no_new_privs() -> None:
    """Forbid that an exec gains privileges, for good."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def become_subreaper() -> None:
    """Become the parent of descendants whose own parents end."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def set_filesystem_ids(uid: int, gid: int) -> None:
    """Create and access files as these ids, which costs the thread the capabilities on files unless `uid` is 0.

    Source: setfsuid(2), which cannot tell that it failed; capabilities(7), "Effect of user ID changes".
    """
    libc.setfsgid(gid)
    libc.setfsuid(uid)
    if libc.setfsgid(-1) != gid or libc.setfsuid(-1) != uid:
        raise OSError(errno.EINVAL, f"setfsuid {uid}:{gid}")


def join_session_keyring(name: str) -> int:
    """Join a new session keyring; returns its serial number."""
    return check(libc.syscall(SYS_KEYCTL, _KEYCTL_JOIN_SESSION_KEYRING, name.encode()), "keyctl join session keyring")


def install_seccomp(program: bytes, flags: int = 0) -> int:
    """Install a filter: an array of `struct sock_filter`, eight bytes each.

    The caller needs no_new_privs or CAP_SYS_ADMIN in its user namespace. With SECCOMP_FILTER_FLAG_NEW_LISTENER the
    result is the descriptor that notifications are read from, else 0.
    """
    fprog = _SockFprog(len(program) // _FILTER_SIZE, program)
    return check(
        libc.syscall(SYS_SECCOMP, _SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(fprog)), "seccomp set mode filter"
    )


def copy_fd(pidfd: int, number: int) -> int:
    """Return a close-on-exec copy of descriptor `number` of another process.

    Raises:
        OSError: EPERM without the right to trace it; EBADF, it has no such descriptor.

    Source: pidfd_getfd(2).
    """
    return check(libc.syscall(SYS_PIDFD_GETFD, pidfd, number, 0), "pidfd_getfd")


def reset_internal_signals() -> None:
    """Set the two signals that glibc keeps for itself back to default.

    Its posix_spawn leaves them ignored in the spawned program, and ignored signals pass through every exec. Neither
    `signal.signal` nor sigaction(3) touches them.
    """
    default = bytes(_KERNEL_SIGACTION_BYTES)
    for number in _GLIBC_SIGNALS:
        check(libc.syscall(SYS_RT_SIGACTION, number, default, None, 8), "rt_sigaction")


def close_on_exec_from(first: int) -> None:
    """Mark every descriptor from `first` up close-on-exec, whoever opened it (law 5)."""
    check(libc.syscall(SYS_CLOSE_RANGE, first, ctypes.c_uint(0xFFFFFFFF), _CLOSE_RANGE_CLOEXEC), "close_range")


def close_all() -> None:
    """Close every descriptor of this process."""
    check(libc.syscall(SYS_CLOSE_RANGE, 0, ctypes.c_uint(0xFFFFFFFF), 0), "close_range")


def overwrite_command_line(text: str) -> None:
    """Show `text` as the arguments of this process, at most what it was started with; a C library without the place
    leaves them.

    Source: proc_pid_cmdline(5); program_invocation_name(3) points to the first argument.
    """
    try:
        start = ctypes.c_void_p.in_dll(libc, "program_invocation_name").value
    except ValueError:
        return
    size = sum(len(os.fsencode(argument)) + 1 for argument in sys.orig_argv)
    # Only when the first argument is where it is said to be: the name may have been set to something else.
    first = os.fsencode(sys.orig_argv[0]) + b"\0"
    if start and ctypes.string_at(start, len(first)) == first:
        ctypes.memmove(start, text.encode()[: size - 1].ljust(size, b"\0"), size)


def keep_large_buffers() -> None:
    """Let the C library keep freed buffers of megabytes for the next use instead of giving them back to the kernel.

    A loop that reads, encodes and writes large chunks otherwise spends its time in page faults. Source: mallopt(3).
    """
    mallopt = getattr(libc, "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BUFFERS_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _LARGE_BUFFERS_BYTES)


def limit_malloc_arenas(count: int) -> None:
    """Let the C library keep at most `count` heaps, however many threads there are. Source: mallopt(3)."""
    mallopt = getattr(libc, "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, count)
