"""bpf(2): loading a device filter and attaching it to a cgroup directory.

Source: bpf(2), include/uapi/linux/bpf.h.
"""

from __future__ import annotations

import ctypes
import os

from windlass.linux._libc import check, libc

BPF_F_ALLOW_MULTI = 2

_SYS_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "s390x": 351, "ppc64le": 361}.get(os.uname().machine, -1)
_BPF_PROG_LOAD = 5
_BPF_PROG_ATTACH = 8
_PROG_TYPE_CGROUP_DEVICE = 15
_ATTACH_CGROUP_DEVICE = 6
_INSTRUCTION_SIZE = 8
_LICENSE = b"Apache\0"


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
    ]


class _AttachAttr(ctypes.Structure):
    """The head of `union bpf_attr` for BPF_PROG_ATTACH."""

    _fields_ = [
        ("target_fd", ctypes.c_uint32),
        ("attach_bpf_fd", ctypes.c_uint32),
        ("attach_type", ctypes.c_uint32),
        ("attach_flags", ctypes.c_uint32),
    ]


def _bpf(command: int, attr: ctypes.Structure, what: str) -> int:
    return check(libc.syscall(_SYS_BPF, command, ctypes.byref(attr), ctypes.sizeof(attr)), what)


def load_device_program(program: bytes) -> int:
    """Load a program of type BPF_PROG_TYPE_CGROUP_DEVICE and return its close-on-exec descriptor.

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
    )
    return _bpf(_BPF_PROG_LOAD, attr, "bpf load device program")


def attach_device_program(cgroup_dir: str, program_fd: int) -> None:
    """Attach a loaded program to the cgroup v2 directory; it stays for as long as the directory does.

    Raises:
        OSError: EBADF when the directory is not of cgroup v2.
    """
    directory = os.open(cgroup_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        attr = _AttachAttr(directory, program_fd, _ATTACH_CGROUP_DEVICE, BPF_F_ALLOW_MULTI)
        _bpf(_BPF_PROG_ATTACH, attr, "bpf attach device program")
    finally:
        os.close(directory)
