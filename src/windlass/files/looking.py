"""What is at a path of a container, seen by a worker that is chrooted to it."""

from __future__ import annotations

import errno
import os
import stat

from windlass.files.model import PathStat
from windlass.files.paths import RequestedPath
from windlass.linux.fs import file_system_magic, open_in_root

_MAX_LINKS = 255
# File systems whose files are the kernel's, not the container's. Source: linux/magic.h.
_KERNEL_FILES = frozenset(
    (
        0x9FA0,  # proc
        0x62656572,  # sysfs
        0x27E0EB,  # cgroup
        0x63677270,  # cgroup2
        0x1CD1,  # devpts
        0x19800202,  # mqueue
        0x64626720,  # debugfs
        0x74726163,  # tracefs
        0x73636673,  # securityfs
        0xCAFE4A11,  # bpf
        0x62656570,  # configfs
        0xDE5E81E4,  # efivarfs
        0x6165676C,  # pstore
        0x42494E4D,  # binfmt_misc
        0xF97CFF8C,  # selinuxfs
        0x6E736673,  # nsfs
    )
)


def is_kernels(fd: int) -> bool:
    """Tell whether a file is on a file system that shows the kernel: nothing to copy is there."""
    return file_system_magic(fd) in _KERNEL_FILES


class Found:
    """What was found: its directory, open; its name in there (empty: the directory itself), and its status."""

    def __init__(self, directory_fd: int, name: bytes, status: os.stat_result) -> None:
        self.directory_fd = directory_fd
        self.name = name
        self.status = status


def find(root_fd: int, path: RequestedPath) -> Found:
    """Look at a path. Links lead on in its directory, not at its end.

    Raises:
        FileNotFoundError: nothing is there, or only files of the kernel's.
        NotADirectoryError: it ends in a slash after something else.
        OSError: the kernel refused.
    """
    directory_fd = open_in_root(root_fd, path.directory, os.O_RDONLY | os.O_DIRECTORY)
    name = os.fsencode(path.base)
    if is_kernels(directory_fd):
        os.close(directory_fd)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    try:
        if name in (b"", b"."):
            return Found(directory_fd, b"", os.fstat(directory_fd))
        return Found(directory_fd, name, os.lstat(name, dir_fd=directory_fd))
    except BaseException:
        os.close(directory_fd)
        raise


def described(path: RequestedPath, found: Found) -> PathStat:
    """Return what a client is told of what was found."""
    status = found.status
    target = evaluate(path.absolute) if stat.S_ISLNK(status.st_mode) else ""
    return PathStat(path.name, status.st_size, status.st_mode, status.st_mtime_ns, target)


def evaluate(path: str) -> str:
    """Return where a path leads in this process's root, through all links; what is missing counts as plain.

    A word for the client, who will ask for it again: nothing is opened by it.
    """
    waiting = path.split("/")[::-1]
    done: list[str] = []
    links = 0
    while waiting:
        part = waiting.pop()
        if part in ("", "."):
            continue
        if part == "..":
            del done[-1:]
            continue
        try:
            target = os.readlink("/" + "/".join([*done, part]))
        except OSError:
            done.append(part)
            continue
        links += 1
        if links > _MAX_LINKS:
            break
        if target.startswith("/"):
            done.clear()
        waiting += target.split("/")[::-1]
    return "/" + "/".join(done)
