"""Reading and writing control files.

Source: Documentation/admin-guide/cgroup-v1/cgroups.rst; one write(2) is one command.
"""

from __future__ import annotations

import os

from windlass.cgroups.model import CgroupError

_READ_SIZE = 1 << 16


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
        raise CgroupError(f'failed to write "{value}" to "{path}": {reason}') from error


def read(path: str) -> str:
    """Read a whole control file; a missing one is empty."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        chunks = []
        while chunk := os.read(fd, _READ_SIZE):
            chunks.append(chunk)
        return b"".join(chunks).decode()
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


def walk(top: str) -> list[str]:
    """List `top` and all groups below, children before parents; a missing `top` gives nothing."""
    try:
        with os.scandir(top) as entries:
            children = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    found: list[str] = []
    for child in children:
        found += walk(child)
    found.append(top)
    return found
