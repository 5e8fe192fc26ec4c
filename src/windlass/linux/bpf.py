"""bpf(2): loading a device filter, attaching it to a cgroup directory, exchanging and detaching it.

Source: bpf(2), include/uapi/linux/bpf.h.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from windlass.linux._libc import check, libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
    from collections.abc import Iterator
else:
    from windlass.linux import native as ctypes

BPF_F_ALLOW_MULTI = 2
BPF_F_REPLACE = 4

_SYS_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "s390x": 351, "ppc64le": 361}.get(os.uname().machine, -1)
_BPF_PROG_LOAD = 5
_BPF_PROG_ATTACH = 8
_BPF_PROG_DETACH = 9
_BPF_PROG_GET_FD_BY_ID = 13
_BPF_OBJ_GET_INFO_BY_FD = 15
_BPF_PROG_QUERY = 16
_PROG_TYPE_CGROUP_DEVICE = 15
_ATTACH_CGROUP_DEVICE = 6
_INSTRUCTION_SIZE = 8
_LICENSE = b"Apache\0"
# The kernel takes 64 programs per group and attach type (BPF_CGROUP_MAX_PROGS).
_MAX_PROGRAMS = 64
_NAME_SIZE = 16
# Offset of `name` in `struct bpf_prog_info`, and how much of it has to be read for that.
_INFO_NAME = 64
_INFO_SIZE = _INFO_NAME + _NAME_SIZE


class _LoadAttr(ctypes.Structure):
    """The head of `union bpf_attr` for BPF_PROG_LOAD."""

    _fields_ = [
        ("prog_type", ctypes.c_uint32),
        ("insn_cnt", ctypes.c_uint32),
        ("insns", ctypes.c_uint64),
        ("license", ctypes.c_uint64),
        ("log_level", ctypes.c_uint32),
        ("log_size", ctypes.c_uint32),
        ("log_buf", ctypes.c_uint64),
        ("kern_version", ctypes.c_uint32),
        ("prog_flags", ctypes.c_uint32),
        ("prog_name", ctypes.c_char * _NAME_SIZE),
    ]


class _AttachAttr(ctypes.Structure):
    """The head of `union bpf_attr` for BPF_PROG_ATTACH and BPF_PROG_DETACH."""

    _fields_ = [
        ("target_fd", ctypes.c_uint32),
        ("attach_bpf_fd", ctypes.c_uint32),
        ("attach_type", ctypes.c_uint32),
        ("attach_flags", ctypes.c_uint32),
        ("replace_bpf_fd", ctypes.c_uint32),
    ]


class _QueryAttr(ctypes.Structure):
    """The head of `union bpf_attr` for BPF_PROG_QUERY."""

    _fields_ = [
        ("target_fd", ctypes.c_uint32),
        ("attach_type", ctypes.c_uint32),
        ("query_flags", ctypes.c_uint32),
        ("attach_flags", ctypes.c_uint32),
        ("prog_ids", ctypes.c_uint64),
        ("prog_cnt", ctypes.c_uint32),
    ]


class _IdAttr(ctypes.Structure):
    """The head of `union bpf_attr` for BPF_PROG_GET_FD_BY_ID."""

    _fields_ = [("prog_id", ctypes.c_uint32), ("next_id", ctypes.c_uint32), ("open_flags", ctypes.c_uint32)]


class _InfoAttr(ctypes.Structure):
    """The head of `union bpf_attr` for BPF_OBJ_GET_INFO_BY_FD."""

    _fields_ = [("bpf_fd", ctypes.c_uint32), ("info_len", ctypes.c_uint32), ("info", ctypes.c_uint64)]


def _bpf(command: int, attr: ctypes.Structure, what: str) -> int:
    return check(libc.syscall(_SYS_BPF, command, ctypes.byref(attr), ctypes.sizeof(attr)), what)


def load_device_program(program: bytes, name: str = "") -> int:
    """Load a program of type BPF_PROG_TYPE_CGROUP_DEVICE and return its close-on-exec descriptor.

    `name` has at most 15 letters, digits, `_` and `.`, and is shown by `program_name`.

    Raises:
        OSError: EPERM without CAP_BPF; EACCES or EINVAL when the verifier refuses.
    """
    code = ctypes.create_string_buffer(program, len(program))
    licence = ctypes.create_string_buffer(_LICENSE)
    attr = _LoadAttr(
        prog_type=_PROG_TYPE_CGROUP_DEVICE,
        insn_cnt=len(program) // _INSTRUCTION_SIZE,
        insns=ctypes.addressof(code),
        license=ctypes.addressof(licence),
        prog_name=name.encode(),
    )
    return _bpf(_BPF_PROG_LOAD, attr, "bpf load device program")


def attach_device_program(cgroup_dir: str, program_fd: int, replace_fd: int = -1) -> None:
    """Attach a loaded program to the cgroup v2 directory; it stays for as long as the directory does.

    With `replace_fd`, an attached program, it takes that one's place in one step (Linux 5.6).

    Raises:
        OSError: EBADF when the directory is not of cgroup v2, ENOENT when `replace_fd` is not attached.
    """
    flags = BPF_F_ALLOW_MULTI | (BPF_F_REPLACE if replace_fd >= 0 else 0)
    with _opened(cgroup_dir) as directory:
        attr = _AttachAttr(directory, program_fd, _ATTACH_CGROUP_DEVICE, flags, max(replace_fd, 0))
        _bpf(_BPF_PROG_ATTACH, attr, "bpf attach device program")


def detach_device_program(cgroup_dir: str, program_fd: int) -> None:
    """Take an attached program away.

    Raises:
        OSError: ENOENT when it is not attached.
    """
    with _opened(cgroup_dir) as directory:
        attr = _AttachAttr(directory, program_fd, _ATTACH_CGROUP_DEVICE)
        _bpf(_BPF_PROG_DETACH, attr, "bpf detach device program")


def attached_device_programs(cgroup_dir: str) -> list[int]:
    """Return the numbers of the programs attached to this very directory.

    Raises:
        OSError: EBADF when the directory is not of cgroup v2.
    """
    numbers = (ctypes.c_uint32 * _MAX_PROGRAMS)()
    count = 0
    with _opened(cgroup_dir) as directory:
        attr = _QueryAttr(directory, _ATTACH_CGROUP_DEVICE, 0, 0, ctypes.addressof(numbers), _MAX_PROGRAMS)
        _bpf(_BPF_PROG_QUERY, attr, "bpf query device programs")
        count = attr.prog_cnt
    return list(numbers[:count])


def open_program(number: int) -> int:
    """Return a descriptor (close-on-exec) of a program by its number.

    Raises:
        OSError: ENOENT when it is gone.
    """
    return _bpf(_BPF_PROG_GET_FD_BY_ID, _IdAttr(number), "bpf open program")


def program_name(program_fd: int) -> str:
    """Return the name that a program was loaded with."""
    info = ctypes.create_string_buffer(_INFO_SIZE)
    _bpf(_BPF_OBJ_GET_INFO_BY_FD, _InfoAttr(program_fd, _INFO_SIZE, ctypes.addressof(info)), "bpf program info")
    return info.raw[_INFO_NAME:].rstrip(b"\0").decode("ascii", "replace")


@contextmanager
def _opened(directory: str) -> Iterator[int]:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
