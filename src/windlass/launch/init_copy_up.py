"""Filling a tmpfs with what it will cover (`tmpcopyup`)."""

from __future__ import annotations

import os
import stat

from windlass.launch.init_context import StepFailed

_MAX_DEPTH = 64


def copy_up(source_fd: int, target_mount: int) -> None:
    """Copy what the root has under a tmpfs into it, before it is covered."""
    source = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=source_fd)
    target = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=target_mount)
    try:
        _copy_directory(source, target, 0)
    finally:
        os.close(source)
        os.close(target)


def _copy_directory(source: int, target: int, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise StepFailed("tmpcopyup: directories too deep")
    for entry in os.listdir(source):
        status = os.stat(entry, dir_fd=source, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            os.mkdir(entry, 0o700, dir_fd=target)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            inner_source = os.open(entry, flags, dir_fd=source)
            inner_target = os.open(entry, flags, dir_fd=target)
            try:
                _copy_directory(inner_source, inner_target, depth + 1)
            finally:
                os.close(inner_source)
                os.close(inner_target)
        elif stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(entry, dir_fd=source), entry, dir_fd=target)
        elif stat.S_ISREG(status.st_mode):
            _copy_file(source, target, entry)
        else:
            continue
        os.chown(entry, status.st_uid, status.st_gid, dir_fd=target, follow_symlinks=False)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(entry, stat.S_IMODE(status.st_mode), dir_fd=target)


def _copy_file(source: int, target: int, name: str) -> None:
    read_fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=source)
    write_fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=target)
    try:
        while os.sendfile(write_fd, read_fd, None, 1 << 24):
            pass
    finally:
        os.close(read_fd)
        os.close(write_fd)
