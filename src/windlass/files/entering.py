"""A worker's way to a container's files: afterwards it is chrooted to them, with little power.

It joins no namespace of a running container but the user namespace: the container's root is a descriptor, and what
would be loaded or run in there is the container's (CVE-2019-14271): nothing is.
"""

from __future__ import annotations

import os

from windlass.archive.confine import confine
from windlass.files.model import Where
from windlass.files.mounting import leave_host, mount_container
from windlass.linux.namespaces import CLONE_NEWUSER, setns


class Inside:
    """The worker after it went in. `fds` are the job's own; `reopen_fd` opens its own descriptors anew, by number."""

    def __init__(self, root_fd: int, reopen_fd: int, fds: list[int]) -> None:
        self.root_fd = root_fd
        self.reopen_fd = reopen_fd
        self.fds = fds


def enter(where: Where, fds: list[int], *, reopen: bool = False) -> Inside:
    """Go to a container's files, for good.

    With `reopen` a way to open files that were found is kept: only for workers that read no stranger's archive.

    Raises:
        OSError: the kernel refused.
    """
    if where.root is not None:
        leave_host()
        root_fd = mount_container(where.root)
    else:
        root_fd, *fds = fds
    # Not of the container's own procfs, which it may have covered.
    reopen_fd = os.open("/proc/self/fd", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) if reopen else -1
    if where.mapped:
        userns_fd, *fds = fds
        setns(userns_fd, CLONE_NEWUSER)
        os.close(userns_fd)
        os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
    confine(root_fd, trusted_xattrs=False, mounted=True)
    return Inside(root_fd, reopen_fd, fds)
