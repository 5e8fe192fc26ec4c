"""Owners, modes, extended attributes and times of what an entry made."""

from __future__ import annotations

import errno
import os

from windlass.archive.entry import TarEntry
from windlass.archive.errors import EntryRefused
from windlass.archive.whiteouts import OVERLAY_XATTR_PREFIXES

_CAPABILITY = b"security.capability"
_USER_PREFIX = b"user."
_UNSUPPORTED = frozenset((errno.EOPNOTSUPP, errno.EPERM))

_MAX_TIME_NS = (1 << 63) - 1


def bounded_time(time_ns: int) -> int:
    """Return `time_ns`, or 0 when it is before the epoch or beyond 63 bits of nanoseconds, as dockerd does."""
    return time_ns if 0 <= time_ns <= _MAX_TIME_NS else 0


def set_by_fd(fd: int, entry: TarEntry) -> int:
    """Give the open file or directory its owner, mode and xattrs; return how many xattrs were left out.

    Kept are `user.*` and `security.capability`; others mean something only to the host they came from.

    Raises:
        EntryRefused: an xattr is overlay's own.
        OSError: the kernel refused.
    """
    # In this order: a change of owner clears set-id bits and capabilities.
    os.fchown(fd, entry.uid, entry.gid)
    os.fchmod(fd, entry.mode)
    return _set_xattrs(fd, entry) if entry.xattrs else 0


def _set_xattrs(fd: int, entry: TarEntry) -> int:
    skipped = 0
    for name, value in entry.xattrs.items():
        if name.startswith(OVERLAY_XATTR_PREFIXES):
            raise EntryRefused(entry.name, f"xattr {name.decode('utf-8', 'backslashreplace')!r} is overlay's own")
        if (name != _CAPABILITY and not name.startswith(_USER_PREFIX)) or b"\0" in name:
            skipped += 1
            continue
        try:
            os.setxattr(fd, name, value)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            skipped += 1
    return skipped


def set_by_name(dir_fd: int, base: bytes, entry: TarEntry, *, mode: bool) -> None:
    """Give a node or symbolic link its owner and time, and its mode when asked: links have none.

    Raises:
        OSError: the kernel refused.
    """
    os.chown(base, entry.uid, entry.gid, dir_fd=dir_fd, follow_symlinks=False)
    if mode:
        os.chmod(base, entry.mode, dir_fd=dir_fd)
    set_time_by_name(dir_fd, base, bounded_time(entry.mtime_ns))


def set_time_by_name(dir_fd: int, base: bytes, mtime_ns: int) -> None:
    """Set access and modification time without following a link.

    Raises:
        OSError: the kernel refused.
    """
    os.utime(base, ns=(mtime_ns, mtime_ns), dir_fd=dir_fd, follow_symlinks=False)
