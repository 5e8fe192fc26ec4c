"""What a worker that reads strangers' bytes can no longer ask of the kernel.

Chrooted root with CAP_SYS_ADMIN (overlay's xattrs need it) could mount, trace, signal or load its way out, should a
decoder have a hole. The filter takes these ways; what unpacking does is not touched. Independent of libseccomp, which a
host may lack.

Source: seccomp(2), linux/filter.h, linux/audit.h; numbers of the kernel's syscall tables.
"""

from __future__ import annotations

import errno
import os
import struct

# Calls by name: numbers on x86_64 and aarch64.
_CALLS: dict[str, tuple[int, int]] = {
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "setns": (308, 268),
    "unshare": (272, 97),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "socket": (41, 198),
    "connect": (42, 203),
    "fanotify_init": (300, 262),
    "personality": (135, 92),
    "prlimit64": (302, 261),
}
# From number 424 up, all architectures agree: pidfd_send_signal, io_uring_setup, the mount calls, pidfd_open,
# pidfd_getfd, process_madvise, mount_setattr, quotactl_fd.
_UNIFIED = (424, 425, 428, 429, 430, 431, 432, 433, 434, 438, 440, 442, 443)
_CLONE = (56, 220)
_CLONE3 = 435
# CLONE_NEW*: time, mount, cgroup, uts, ipc, user, pid, net.
_NEW_NAMESPACES = 0x7E020080

# AUDIT_ARCH_* by machine, and its column above.
_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_X32_FIRST = 0x40000000

_LOAD = 0x20
_JUMP_EQUAL = 0x15
_JUMP_AT_LEAST = 0x35
_JUMP_ANY_BIT = 0x45
_RETURN = 0x06
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000


def forbidden_calls_program(machine: str | None = None) -> bytes | None:
    """Return the filter as an array of `struct sock_filter` for `machine` (default: this one), or None where unknown.

    Forbidden calls fail with EPERM; clone3, whose flags a filter cannot see, with ENOSYS, so that clone is used.
    """
    known = _MACHINES.get(machine or os.uname().machine)
    if known is None:
        return None
    audit_arch, column = known
    denied = [numbers[column] for numbers in _CALLS.values()] + list(_UNIFIED)
    tests = [(_JUMP_EQUAL, number) for number in denied]
    if column == 0:
        tests.append((_JUMP_AT_LEAST, _X32_FIRST))
    program = [
        _step(_LOAD, _ARCH),
        _step(_JUMP_EQUAL, audit_arch, 1, 0),
        _step(_RETURN, _ERRNO | errno.EPERM),
        _step(_LOAD, _NUMBER),
        _step(_JUMP_EQUAL, _CLONE3, 0, 1),
        _step(_RETURN, _ERRNO | errno.ENOSYS),
    ]
    # Each test that hits jumps over those after it, and over what follows them, to the refusal at the end.
    for position, (code, value) in enumerate(tests):
        program.append(_step(code, value, len(tests) - position - 1 + 4, 0))
    program += [
        _step(_JUMP_EQUAL, _CLONE[column], 0, 2),
        _step(_LOAD, _FIRST_ARGUMENT),
        _step(_JUMP_ANY_BIT, _NEW_NAMESPACES, 1, 0),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _ERRNO | errno.EPERM),
    ]
    return b"".join(program)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
