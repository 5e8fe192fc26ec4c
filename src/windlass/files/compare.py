"""`diff`: what a container's own layer changes in those below it.

Source: moby, pkg/archive/changes.go; kernel overlayfs.rst, "whiteouts and opaque directories".
"""

from __future__ import annotations

import errno
import os
import stat
from enum import IntEnum

from windlass.archive.whiteouts import OVERLAY_OPAQUE_XATTR

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_XATTR = frozenset((errno.ENODATA, errno.EOPNOTSUPP))
_MAX_DEPTH = 400
_SECOND_NS = 1_000_000_000


class Change(IntEnum):
    """What became of a path. Source: Engine API, ChangeType."""

    MODIFIED = 0
    ADDED = 1
    DELETED = 2


def compare(upper_fd: int, image_fd: int, excluded: frozenset[bytes]) -> list[tuple[bytes, Change]]:
    """Return the changed paths, without a slash in front, in the order of names; a directory comes before its content.

    `upper_fd` is an overlay's upper directory, `image_fd` the root of the layers below, -1 when there are none.
    `excluded` paths are not told of. A running container may change it meanwhile: what goes away is left out.

    Raises:
        OSError: the kernel refused.
    """
    found: list[tuple[bytes, Change]] = []
    _Comparison(excluded, found).directory(b"", os.dup(upper_fd), os.dup(image_fd) if image_fd >= 0 else -1, 0)
    return found


class _Comparison:
    def __init__(self, excluded: frozenset[bytes], found: list[tuple[bytes, Change]]) -> None:
        self._excluded = excluded
        self._found = found

    def directory(self, path: bytes, upper_fd: int, image_fd: int, depth: int) -> None:
        """Compare what is in a directory, and close the descriptors."""
        try:
            if depth > _MAX_DEPTH:
                raise OSError(errno.ELOOP, "directories are nested too deeply")
            upper = set(os.listdir(upper_fd))
            hidden = self._hidden(path, upper, upper_fd, image_fd)
            for name in sorted(map(os.fsencode, upper | hidden)):
                child = path + b"/" + name if path else name
                if os.fsdecode(name) in hidden:
                    self._found.append((child, Change.DELETED))
                elif child not in self._excluded:
                    self._entry(child, name, upper_fd, image_fd, depth)
        finally:
            os.close(upper_fd)
            if image_fd >= 0:
                os.close(image_fd)

    def _hidden(self, path: bytes, upper: set[str], upper_fd: int, image_fd: int) -> set[str]:
        """Return the names that an opaque directory hides without a word of their own."""
        if image_fd < 0 or not path or not _is_opaque(upper_fd):
            return set()
        return {name for name in os.listdir(image_fd) if name not in upper and _status(image_fd, os.fsencode(name))}

    def _entry(self, path: bytes, name: bytes, upper_fd: int, image_fd: int, depth: int) -> None:
        try:
            status = os.lstat(name, dir_fd=upper_fd)
        except FileNotFoundError:
            return
        below = _status(image_fd, name)
        if _is_whiteout(status):
            if below is not None:
                self._found.append((path, Change.DELETED))
            return
        place = len(self._found)
        if stat.S_ISDIR(status.st_mode):
            self._descend(path, name, upper_fd, image_fd if below and stat.S_ISDIR(below.st_mode) else -1, depth)
        if below is None:
            self._found.insert(place, (path, Change.ADDED))
        elif len(self._found) > place or _is_different(status, below):
            # A directory is told of as soon as something in it is.
            self._found.insert(place, (path, Change.MODIFIED))

    def _descend(self, path: bytes, name: bytes, upper_fd: int, image_fd: int, depth: int) -> None:
        try:
            child_fd = os.open(name, _DIRECTORY, dir_fd=upper_fd)
        except (FileNotFoundError, NotADirectoryError):
            return
        image_child = -1
        try:
            image_child = os.open(name, _DIRECTORY, dir_fd=image_fd) if image_fd >= 0 else -1
        except BaseException:
            os.close(child_fd)
            raise
        self.directory(path, child_fd, image_child, depth + 1)


def _is_different(status: os.stat_result, below: os.stat_result) -> bool:
    """Tell whether something that is in both is another one, as dockerd does: the time of a directory says nothing."""
    if (status.st_mode, status.st_uid, status.st_gid, status.st_rdev) != (
        below.st_mode,
        below.st_uid,
        below.st_gid,
        below.st_rdev,
    ):
        return True
    if stat.S_ISDIR(status.st_mode):
        return False
    return status.st_size != below.st_size or not _is_same_time(status.st_mtime_ns, below.st_mtime_ns)


def _is_same_time(one_ns: int, other_ns: int) -> bool:
    """Times that an archive has cut to seconds are the same."""
    if one_ns == other_ns:
        return True
    (one_s, one_rest), (other_s, other_rest) = divmod(one_ns, _SECOND_NS), divmod(other_ns, _SECOND_NS)
    return one_s == other_s and 0 in (one_rest, other_rest)


def _is_whiteout(status: os.stat_result) -> bool:
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _status(dir_fd: int, name: bytes) -> os.stat_result | None:
    if dir_fd < 0:
        return None
    try:
        status = os.lstat(name, dir_fd=dir_fd)
    except FileNotFoundError:
        return None
    # One layer alone shows its whiteouts.
    return None if _is_whiteout(status) else status


def _is_opaque(fd: int) -> bool:
    try:
        return os.getxattr(fd, OVERLAY_OPAQUE_XATTR) == b"y"
    except OSError as error:
        if error.errno in _NO_XATTR:
            return False
        raise
