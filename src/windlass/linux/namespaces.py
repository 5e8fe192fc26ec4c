"""Namespaces: unshare, setns and their flags.

Source: namespaces(7), unshare(2), setns(2).
"""

from __future__ import annotations

from windlass.linux._libc import check, libc

CLONE_NEWTIME = 0x00000080
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

NAMESPACE_FLAGS: dict[str, int] = {
    "mount": CLONE_NEWNS,
    "cgroup": CLONE_NEWCGROUP,
    "uts": CLONE_NEWUTS,
    "ipc": CLONE_NEWIPC,
    "user": CLONE_NEWUSER,
    "pid": CLONE_NEWPID,
    "network": CLONE_NEWNET,
    "time": CLONE_NEWTIME,
}


def unshare(flags: int) -> None:
    """Leave the namespaces of `flags` for new ones. Only for single-threaded processes (law 1)."""
    check(libc.unshare(flags), f"unshare {flags:#x}")


def setns(fd: int, flags: int) -> None:
    """Join the namespace that `fd` names, or, with a pidfd, all of `flags` of that process at once (Linux 5.8)."""
    check(libc.setns(fd, flags), f"setns {flags:#x}")


def sethostname(name: bytes) -> None:
    """Set the host name of the UTS namespace."""
    check(libc.sethostname(name, len(name)), "sethostname")


def setdomainname(name: bytes) -> None:
    """Set the NIS domain name of the UTS namespace."""
    check(libc.setdomainname(name, len(name)), "setdomainname")
