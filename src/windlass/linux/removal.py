"""Removing trees by descriptor: no symbolic link is followed, no mount is entered."""

from __future__ import annotations

import errno
import os
import stat

from windlass.linux.fs import RESOLVE_NO_XDEV, openat2

# Levels below the top that are walked with open descriptors; what is deeper is first moved up.
_MAX_DEPTH = 32


def remove(dir_fd: int, name: bytes) -> None:
    """Remove `name` in `dir_fd`, whatever it is, with all it contains; a missing one is fine.

    May be called again after an interruption: it goes on from what is left.

    Raises:
        OSError: EBUSY with the path for a mount point in the tree, and what unlink(2) raises.
    """
    try:
        mode = os.lstat(name, dir_fd=dir_fd).st_mode
        if not stat.S_ISDIR(mode):
            os.unlink(name, dir_fd=dir_fd)
            return
        top = _open_directory(dir_fd, name)
    except FileNotFoundError:
        return
    try:
        empty(top)
    finally:
        os.close(top)
    os.rmdir(name, dir_fd=dir_fd)


def empty(top_fd: int) -> None:
    """Remove everything in the directory `top_fd` (open for reading), and leave it.

    Raises:
        OSError: as `remove`.
    """
    # Trees deeper than the walk are moved up into the top, to be met by another pass over it.
    while _empty_level(top_fd, top_fd, 0):
        pass


def _empty_level(top_fd: int, fd: int, depth: int) -> bool:
    """Empty one directory; tell whether something was moved up into the top."""
    moved = False
    for name, is_directory in _listing(fd):
        if not is_directory:
            _unlink(fd, name)
        elif depth >= _MAX_DEPTH:
            os.rename(name, b"%s.%s" % (name[:128], os.urandom(8).hex().encode()), src_dir_fd=fd, dst_dir_fd=top_fd)
            moved = True
        else:
            child = _open_directory(fd, name)
            try:
                moved |= _empty_level(top_fd, child, depth + 1)
            finally:
                os.close(child)
            os.rmdir(name, dir_fd=fd)
    return moved


def _listing(fd: int) -> list[tuple[bytes, bool]]:
    with os.scandir(fd) as entries:
        return [(os.fsencode(entry.name), entry.is_dir(follow_symlinks=False)) for entry in entries]


def _unlink(fd: int, name: bytes) -> None:
    try:
        os.unlink(name, dir_fd=fd)
    except FileNotFoundError:
        pass


def _open_directory(dir_fd: int, name: bytes) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        return openat2(dir_fd, name, flags, resolve=RESOLVE_NO_XDEV)
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise OSError(errno.EBUSY, "is a mount point", name) from None
        raise
