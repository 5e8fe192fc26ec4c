"""Reading and writing control files.

Source: Documentation/admin-guide/cgroup-v1/cgroups.rst; one write(2) is one command.
"""

from __future__ import annotations

import os

from windlass.cgroups.model import CgroupError

_READ_SIZE = 1 << 16
# Lists of processes are the longest: four million of them is what a host can have at most.
_MAX_SIZE = 1 << 25


def write(path: str, value: str) -> None:
    """Write `value` in one call.

    Raises:
        CgroupError: the file is missing or the kernel refused the value.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, value.encode())
        finally:
            os.close(fd)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f'failed to write "{value}" to "{path}": {reason}'
        raise CgroupError(message, path, value, error.errno or 0) from error


def read(path: str) -> str:
    """Read a whole control file; a missing one is empty."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        chunks = []
        size = 0
        while size < _MAX_SIZE and (chunk := os.read(fd, _READ_SIZE)):
            chunks.append(chunk)
            size += len(chunk)
        return b"".join(chunks).decode("utf-8", "replace")
    except OSError:
        # ENODEV: the group was removed while we read.
        return ""
    finally:
        os.close(fd)


def read_int(path: str) -> int:
    """Read one number; `max`, a missing file and an empty one are 0."""
    text = read(path).strip()
    return int(text) if text.lstrip("-").isdecimal() else 0


def read_table(path: str) -> dict[str, int]:
    """Read lines of `key number`; other lines are skipped."""
    table = {}
    for line in read(path).splitlines():
        key, _, value = line.partition(" ")
        if value.isdecimal():
            table[key] = int(value)
    return table


def make_directory(path: str, *, exist_ok: bool = False) -> None:
    """Make one group.

    Raises:
        CgroupError: it exists (unless `exist_ok`), or the kernel refused.
    """
    try:
        os.mkdir(path)
    except FileExistsError:
        if not exist_ok:
            raise CgroupError(f"failed to create {path}: file exists") from None
    except OSError as error:
        message = f"failed to create {path}: {(error.strerror or str(error)).lower()}"
        raise CgroupError(message, path, errno=error.errno or 0) from error


def walk(top: str) -> list[str]:
    """List `top` and all groups below, children before parents; a missing `top` gives nothing."""
    found = []
    left = [top]
    while left:
        directory = left.pop()
        try:
            with os.scandir(directory) as entries:
                left += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        found.append(directory)
    return found[::-1]
