"""Calls that have been ways out of containers are refused to a default container by its filter.

Each of them is allowed by the kernel to a process with the capabilities of a default container, or was so in kernels of
the past: keyrings (CVE-2016-0728), user namespaces and the new mount calls (CVE-2022-0185), io_uring, vsock, handles
(CVE-2014-3519), bpf.
"""

from __future__ import annotations

import ctypes
import errno
import os

import pytest

from windlass.linux.process import install_seccomp
from windlass.runtime.capabilities import DEFAULT_CAPABILITIES
from windlass.seccomp.compile import compile_filter
from windlass.seccomp.profile import host_traits, resolve_default

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.uname().machine != "x86_64", reason="system call numbers of x86-64"),
]

_CLONE_NEWUSER = 0x10000000
_SIGCHLD = 17
_X32 = 0x40000000
_CALLS = {
    "add_key": (248, 0, 0, 0, 0, 0),
    "keyctl": (250, 0, 0),
    "request_key": (249, 0, 0, 0, 0),
    "unshare user": (272, _CLONE_NEWUSER),
    "clone user": (56, _CLONE_NEWUSER | _SIGCHLD, 0, 0, 0, 0),
    "setns": (308, -1, 0),
    "mount": (165, 0, 0, 0, 0, 0),
    "umount2": (166, 0, 0),
    "fsopen": (430, 0, 0),
    "open_tree": (428, -100, 0, 0),
    "move_mount": (429, -1, 0, -1, 0, 0),
    "mount_setattr": (442, -1, 0, 0, 0, 0),
    "bpf": (321, 0, 0, 0),
    "perf_event_open": (298, 0, 0, 0, 0, 0),
    "userfaultfd": (323, 0),
    "io_uring_setup": (425, 1, 0),
    "open_by_handle_at": (304, -1, 0, 0),
    "kexec_load": (246, 0, 0, 0, 0),
    "init_module": (175, 0, 0, 0),
    "ioperm": (173, 0, 0, 0),
    "socket AF_VSOCK": (41, 40, 1, 0),
    "quotactl": (179, 0, 0, 0, 0),
    "mount by x32": (_X32 | 165, 0, 0, 0, 0, 0),
    "keyctl by x32": (_X32 | 250, 0, 0),
}


@pytest.fixture(scope="module")
def answers() -> dict[str, int]:
    """The errno of every call, made by one child under the filter."""
    found = resolve_default(frozenset(DEFAULT_CAPABILITIES), host_traits())
    assert found is not None
    program = compile_filter(found)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            install_seccomp(program)
            for call in _CALLS.values():
                ctypes.set_errno(0)
                result = libc.syscall(*(ctypes.c_long(value) for value in call))
                os.write(writer, bytes([ctypes.get_errno() if result == -1 else 0]))
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        data = pipe.read()
    os.waitpid(pid, 0)
    return dict(zip(_CALLS, data, strict=True))


@pytest.mark.parametrize("name", _CALLS)
def test_refused(answers: dict[str, int], name: str) -> None:
    assert errno.errorcode[answers[name]] == "EPERM"
