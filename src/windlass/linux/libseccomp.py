"""libseccomp by ctypes: from rules to a BPF program, nothing more.

The library is opened at first use, so that a host without it can say what is missing.

Source: seccomp_init(3), seccomp_rule_add(3), seccomp_attr_set(3), seccomp_export_bpf(3).
"""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
    from collections.abc import Sequence
    from types import TracebackType
else:
    from windlass.linux import native as ctypes

LIBRARY = "libseccomp.so.2"

ACT_KILL_PROCESS = 0x80000000
ACT_KILL_THREAD = 0x00000000
ACT_TRAP = 0x00030000
ACT_ERRNO = 0x00050000
ACT_NOTIFY = 0x7FC00000
ACT_TRACE = 0x7FF00000
ACT_LOG = 0x7FFC0000
ACT_ALLOW = 0x7FFF0000

CMP_NE, CMP_LT, CMP_LE, CMP_EQ, CMP_GE, CMP_GT, CMP_MASKED_EQ = range(1, 8)

ARCH_NATIVE = 0
# AUDIT_ARCH_* of linux/audit.h; x32 is a token of the library's own.
ARCH_TOKENS: dict[str, int] = {
    "SCMP_ARCH_X86": 0x40000003,
    "SCMP_ARCH_X86_64": 0xC000003E,
    "SCMP_ARCH_X32": 0x4000003E,
    "SCMP_ARCH_ARM": 0x40000028,
    "SCMP_ARCH_AARCH64": 0xC00000B7,
    "SCMP_ARCH_LOONGARCH64": 0xC0000102,
    "SCMP_ARCH_M68K": 0x4,
    "SCMP_ARCH_MIPS": 0x8,
    "SCMP_ARCH_MIPS64": 0x80000008,
    "SCMP_ARCH_MIPS64N32": 0xA0000008,
    "SCMP_ARCH_MIPSEL": 0x40000008,
    "SCMP_ARCH_MIPSEL64": 0xC0000008,
    "SCMP_ARCH_MIPSEL64N32": 0xE0000008,
    "SCMP_ARCH_PPC": 0x14,
    "SCMP_ARCH_PPC64": 0x80000015,
    "SCMP_ARCH_PPC64LE": 0xC0000015,
    "SCMP_ARCH_S390": 0x16,
    "SCMP_ARCH_S390X": 0x80000016,
    "SCMP_ARCH_SH": 0x2A,
    "SCMP_ARCH_SHEB": 0x4000002A,
    "SCMP_ARCH_PARISC": 0xF,
    "SCMP_ARCH_PARISC64": 0x8000000F,
    "SCMP_ARCH_RISCV64": 0xC00000F3,
}

NR_SCMP_ERROR = -1

_FLTATR_CTL_OPTIMIZE = 8
_BINARY_TREE = 2


class ArgCompare(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    ]


class _Version(ctypes.Structure):
    _fields_ = [("major", ctypes.c_uint), ("minor", ctypes.c_uint), ("micro", ctypes.c_uint)]


_opened: list[ctypes.CDLL] = []


def _library() -> ctypes.CDLL:
    """Return the library, opened once.

    Raises:
        OSError: it is not installed.
    """
    if not _opened:
        _opened.append(_open())
    return _opened[0]


def _open() -> ctypes.CDLL:
    lib = ctypes.CDLL(LIBRARY)
    lib.seccomp_version.restype = ctypes.POINTER(_Version)
    lib.seccomp_init.restype = ctypes.c_void_p
    lib.seccomp_init.argtypes = (ctypes.c_uint32,)
    lib.seccomp_release.argtypes = (ctypes.c_void_p,)
    lib.seccomp_attr_set.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32)
    lib.seccomp_arch_exist.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    lib.seccomp_arch_add.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    lib.seccomp_arch_native.restype = ctypes.c_uint32
    lib.seccomp_syscall_resolve_name.argtypes = (ctypes.c_char_p,)
    lib.seccomp_rule_add_array.argtypes = (
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_void_p,
    )
    lib.seccomp_export_bpf.argtypes = (ctypes.c_void_p, ctypes.c_int)
    return lib


def version() -> tuple[int, int, int]:
    """Return the library's version.

    Raises:
        OSError: the library is not installed.
    """
    found = _library().seccomp_version().contents
    return found.major, found.minor, found.micro


def native_arch() -> int:
    """Return the token of the machine's own architecture."""
    return int(_library().seccomp_arch_native())


def resolve_syscall(name: str) -> int:
    """Return a system call's number on the native architecture.

    NR_SCMP_ERROR stands for a name that the library does not know; other negative numbers for calls that exist only on
    other architectures.
    """
    return int(_library().seccomp_syscall_resolve_name(name.encode()))


def _check(rc: int, what: str) -> None:
    if rc < 0:
        raise OSError(-rc, f"{what}: {os.strerror(-rc)}")


class Filter:
    """A filter under construction; a context manager that frees it."""

    def __init__(self, default_action: int) -> None:
        self._lib = _library()
        self._ctx = self._lib.seccomp_init(default_action)
        if not self._ctx:
            raise OSError(errno.EINVAL, f"seccomp_init: bad default action {default_action:#x}")

    def __enter__(self) -> Filter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lib.seccomp_release(self._ctx)

    def use_binary_tree(self) -> None:
        """Search by a binary tree instead of a list, where the library can (2.5)."""
        self._lib.seccomp_attr_set(self._ctx, _FLTATR_CTL_OPTIMIZE, _BINARY_TREE)

    def add_arch(self, token: int) -> None:
        """Cover one more architecture; one that is covered stays."""
        rc = self._lib.seccomp_arch_add(self._ctx, token)
        if rc != -errno.EEXIST:
            _check(rc, "seccomp_arch_add")

    def add_rule(self, action: int, syscall: int, arguments: Sequence[tuple[int, int, int, int]] = ()) -> None:
        """Add a rule; `arguments` are (index, CMP_*, value, second value), all of which must hold."""
        array = (ArgCompare * len(arguments))(*(ArgCompare(*argument) for argument in arguments))
        rc = self._lib.seccomp_rule_add_array(self._ctx, action, syscall, len(arguments), array if arguments else None)
        # EACCES: the action is the default one, so that the rule says nothing. EEXIST: said before.
        if rc not in (-errno.EACCES, -errno.EEXIST):
            _check(rc, f"seccomp_rule_add {syscall}")

    def export(self) -> bytes:
        """Return the program: an array of `struct sock_filter`."""
        memfd = os.memfd_create("seccomp", os.MFD_CLOEXEC)
        try:
            _check(self._lib.seccomp_export_bpf(self._ctx, memfd), "seccomp_export_bpf")
            size = os.lseek(memfd, 0, os.SEEK_END)
            return os.pread(memfd, size, 0)
        finally:
            os.close(memfd)
