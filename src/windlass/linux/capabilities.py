"""Capabilities of the calling thread.

Source: capabilities(7), capset(2); numbers of linux/capability.h.
"""

from __future__ import annotations

from windlass.linux._libc import check, libc
from windlass.linux.process import (
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAP_AMBIENT_RAISE,
    PR_CAPBSET_DROP,
    PR_CAPBSET_READ,
    prctl,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
else:
    from windlass.linux import native as ctypes

CAPABILITIES: tuple[str, ...] = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)

CAPABILITY_NUMBERS: dict[str, int] = {name: number for number, name in enumerate(CAPABILITIES)}

_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Data(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def effective_capabilities() -> int:
    """Return the effective set of this process as a bit mask."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("CapEff:"):
                return int(line.split()[1], 16)
    return 0


def drop_bounding(keep: int) -> None:
    """Drop every capability from the bounding set that `keep` does not have."""
    for number in range(len(CAPABILITIES)):
        if not keep >> number & 1:
            try:
                prctl(PR_CAPBSET_DROP, number)
            except OSError:
                # Of a newer kernel, or not ours to drop: what counts is that it is not there.
                if libc.prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1:
                    raise


def capset(effective: int, permitted: int, inheritable: int) -> None:
    """Set the three classic sets of the calling thread."""
    header = _Header(_VERSION_3, 0)
    low = 0xFFFFFFFF
    data = (_Data * 2)(
        _Data(effective & low, permitted & low, inheritable & low),
        _Data(effective >> 32, permitted >> 32, inheritable >> 32),
    )
    check(libc.capset(ctypes.byref(header), data), "capset")


def capget() -> tuple[int, int, int]:
    """Return the effective, permitted and inheritable sets of the calling thread."""
    header = _Header(_VERSION_3, 0)
    data = (_Data * 2)()
    check(libc.capget(ctypes.byref(header), data), "capget")
    low, high = data
    return (
        low.effective | high.effective << 32,
        low.permitted | high.permitted << 32,
        low.inheritable | high.inheritable << 32,
    )


def set_ambient(ambient: int) -> None:
    """Make exactly `ambient` the ambient set; each must be permitted and inheritable."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(ambient.bit_length()):
        if ambient >> number & 1:
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number)
