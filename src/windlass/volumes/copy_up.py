"""Filling a new volume with what the image has at its mount point, in a worker.

The image's overlay is mounted in the worker's own mount namespace, and the path is looked up below it as a container
would: neither a symbolic link nor `..` of the image leads out (CVE-2018-15664, the class).

Source: Docker, "Populate a volume using a container".
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping

import msgspec

from windlass.linux import mount as mounts
from windlass.linux.fs import copy_range, open_in_root
from windlass.linux.namespaces import CLONE_NEWNS, unshare

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_DEPTH = 512
_UNSUPPORTED = (errno.ENOTSUP, errno.EPERM, errno.EINVAL)


class CopyUpParams(msgspec.Struct, frozen=True):
    """`base` and `lower` (top first, relative to it) are the image's layers; `path` is inside, `target` on the host."""

    base: str
    lower: list[str]
    path: str
    target: str


def copy_up_job(params: Mapping[str, object], _fds: list[int]) -> dict[str, object]:
    """Copy the directory `path` of an image into the empty directory `target`; a missing one is fine.

    Raises:
        OSError: the kernel refused; what was copied so far stays.
    """
    wanted = msgspec.convert(params, CopyUpParams)
    unshare(CLONE_NEWNS)
    mounts.mount(None, "/", None, mounts.MS_REC | mounts.MS_PRIVATE)
    root_fd = _open_image(wanted)
    try:
        try:
            source_fd = open_in_root(root_fd, os.fsencode(wanted.path), os.O_RDONLY | os.O_DIRECTORY)
        except (FileNotFoundError, NotADirectoryError):
            return {"copied": 0}
        target_fd = os.open(wanted.target, _DIRECTORY)
        copied = _copy_directory(source_fd, target_fd, 0)
        _copy_attributes(source_fd, target_fd)
    finally:
        os.close(root_fd)
    return {"copied": copied}


def _open_image(params: CopyUpParams) -> int:
    """Mount the layers read-only and return a descriptor of the root."""
    os.chdir(params.base)
    if len(params.lower) == 1:
        return os.open(params.lower[0], _DIRECTORY)
    # Relative to the working directory, for mount options end at one page. The layers' own directory is as good a
    # mount point as any in a namespace that ends with this process.
    mounts.mount("overlay", params.base, "overlay", mounts.MS_RDONLY, f"lowerdir={':'.join(params.lower)}")
    return os.open(params.base, _DIRECTORY)


def _copy_directory(source_fd: int, target_fd: int, depth: int) -> int:
    if depth > _MAX_DEPTH:
        raise OSError(errno.ELOOP, "directories are nested too deeply")
    copied = 0
    with os.scandir(source_fd) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        status = os.lstat(name, dir_fd=source_fd)
        if stat.S_ISDIR(status.st_mode):
            copied += _copy_subdirectory(source_fd, target_fd, name, depth)
        elif not _is_whiteout(status):
            _copy_leaf(source_fd, target_fd, name, status)
            copied += 1
    return copied


def _copy_subdirectory(source_fd: int, target_fd: int, name: str, depth: int) -> int:
    os.mkdir(name, 0o700, dir_fd=target_fd)
    source = os.open(name, _DIRECTORY, dir_fd=source_fd)
    target = os.open(name, _DIRECTORY, dir_fd=target_fd)
    try:
        copied = _copy_directory(source, target, depth + 1)
        _copy_attributes(source, target)
    finally:
        os.close(source)
        os.close(target)
    return copied + 1


def _is_whiteout(status: os.stat_result) -> bool:
    """One layer alone is read without overlay, which would hide these."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _copy_leaf(source_fd: int, target_fd: int, name: str, status: os.stat_result) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFREG:
        _copy_file(source_fd, target_fd, name)
        return
    if kind == stat.S_IFLNK:
        os.symlink(os.readlink(name, dir_fd=source_fd), name, dir_fd=target_fd)
    else:
        os.mknod(name, kind | 0o600, status.st_rdev, dir_fd=target_fd)
    os.chown(name, status.st_uid, status.st_gid, dir_fd=target_fd, follow_symlinks=False)
    if kind != stat.S_IFLNK:
        os.chmod(name, stat.S_IMODE(status.st_mode), dir_fd=target_fd)
    os.utime(name, ns=(status.st_atime_ns, status.st_mtime_ns), dir_fd=target_fd, follow_symlinks=False)


def _copy_file(source_fd: int, target_fd: int, name: str) -> None:
    source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=source_fd)
    target = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=target_fd)
    try:
        copy_range(source, target, os.fstat(source).st_size)
        _copy_attributes(source, target)
    finally:
        os.close(source)
        os.close(target)


def _copy_attributes(source_fd: int, target_fd: int) -> None:
    """Copy owner, mode, extended attributes and times; the owner first, since a change of it drops set-id bits."""
    status = os.fstat(source_fd)
    os.fchown(target_fd, status.st_uid, status.st_gid)
    os.fchmod(target_fd, stat.S_IMODE(status.st_mode))
    for name in os.listxattr(source_fd):
        if name.startswith("trusted."):
            continue
        try:
            os.setxattr(target_fd, name, os.getxattr(source_fd, name))
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
    os.utime(target_fd, ns=(status.st_atime_ns, status.st_mtime_ns))
