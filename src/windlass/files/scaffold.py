"""What a start leaves in a container's own layer that its user did not put there: places that were mounted on.

dockerd has them in a layer of their own below; here they are told from the user's by what they are: empty files and
directories at the well-known places, where the image has nothing, and directories that are only there to hold them.
"""

from __future__ import annotations

import os
import stat

_FILES = (b".dockerenv", b"dev/console", b"etc/hostname", b"etc/hosts", b"etc/resolv.conf")
# Inner ones first.
_DIRECTORIES = (b"dev/mqueue", b"dev/pts", b"dev/shm", b"dev", b"etc", b"proc", b"sys")


def scaffold(upper_fd: int, image_fd: int) -> frozenset[bytes]:
    """Return the paths in a container's own layer that are no change of its user's.

    `image_fd` is the root of the layers below, -1 when there are none.

    Raises:
        OSError: the kernel refused.
    """
    found: set[bytes] = set()
    for path in _FILES:
        status = _status(upper_fd, path)
        if status is not None and stat.S_ISREG(status.st_mode) and not status.st_size and not _status(image_fd, path):
            found.add(path)
    for path in _DIRECTORIES:
        if _only_holds(upper_fd, image_fd, path, found):
            found.add(path)
    return frozenset(found)


def _only_holds(upper_fd: int, image_fd: int, path: bytes, found: set[bytes]) -> bool:
    status = _status(upper_fd, path)
    if status is None or not stat.S_ISDIR(status.st_mode):
        return False
    children = _children(upper_fd, path)
    if not children <= found:
        return False
    below = _status(image_fd, path)
    if below is None:
        return True
    # Copied up to make something in it; without that, somebody else has changed it.
    same = (below.st_mode, below.st_uid, below.st_gid) == (status.st_mode, status.st_uid, status.st_gid)
    return bool(children) and same


def _children(root_fd: int, path: bytes) -> set[bytes]:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=root_fd)
    try:
        return {path + b"/" + os.fsencode(name) for name in os.listdir(fd)}
    finally:
        os.close(fd)


def _status(root_fd: int, path: bytes) -> os.stat_result | None:
    """Return what is at a path whose directories are none but the well-known ones."""
    if root_fd < 0:
        return None
    parent, _, _ = path.rpartition(b"/")
    try:
        if parent and not stat.S_ISDIR(os.lstat(parent, dir_fd=root_fd).st_mode):
            return None
        status = os.lstat(path, dir_fd=root_fd)
    except FileNotFoundError:
        return None
    # One layer alone shows its whiteouts.
    return None if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0 else status
