"""Disk space of a tree."""

from __future__ import annotations

import os

from windlass.linux.fs import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV, openat2

_RESOLVE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV
_BLOCK = 512


def disk_usage(path: str) -> int:
    """Return the bytes that the tree at `path` takes on its disk; hard links count once, other file systems not at all.

    The tree may be a running container's: what goes away meanwhile is not counted, and no link is followed.

    Raises:
        OSError: `path` is missing or no directory.
    """
    root_fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return os.fstat(root_fd).st_blocks * _BLOCK + _usage_below(root_fd)
    finally:
        os.close(root_fd)


def _usage_below(root_fd: int) -> int:
    total = 0
    linked: set[int] = set()
    waiting = [b"."]
    while waiting:
        directory = waiting.pop()
        for name, found, is_directory in _entries(root_fd, directory):
            if found.st_nlink > 1 and not is_directory:
                if found.st_ino in linked:
                    continue
                linked.add(found.st_ino)
            total += found.st_blocks * _BLOCK
            if is_directory:
                waiting.append(directory + b"/" + name)
    return total


def _entries(root_fd: int, directory: bytes) -> list[tuple[bytes, os.stat_result, bool]]:
    try:
        fd = openat2(root_fd, directory, os.O_RDONLY | os.O_DIRECTORY, resolve=_RESOLVE)
    except OSError:
        # Gone, replaced by a link, or the mount of something else.
        return []
    found = []
    try:
        with os.scandir(fd) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                found.append((os.fsencode(entry.name), status, entry.is_dir(follow_symlinks=False)))
    finally:
        os.close(fd)
    return found
