"""Users and groups as the container's own files define them, without NSS (law 2).

Source: passwd(5), group(5); the grammar and messages of `docker run --user`.
"""

from __future__ import annotations

import os
import stat

from windlass.launch.init_context import StepFailed
from windlass.linux.fs import RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, openat2
from windlass.spec import struct

_MAX_ID = (1 << 31) - 1
# Far above any real file; a giant one must not exhaust memory (CVE-2026-47262).
_MAX_FILE_BYTES = 4 * 1024 * 1024


class Identity(struct.Struct, frozen=True):
    """A resolved user: numbers, supplementary groups, home directory."""

    uid: int
    gid: int
    groups: list[int]
    home: str


def resolve(root_fd: int, user: str, additional_groups: list[str]) -> Identity:
    """Resolve `user[:group]` and more groups against the files below `root_fd`.

    Raises:
        StepFailed: unknown name, or a number outside 0 to 2147483647. A string of digits is never a name
            (CVE-2024-40635, CVE-2026-46680).
    """
    user_part, _, group_part = user.partition(":")
    passwd = _read_fields(root_fd, b"etc/passwd", 7)
    group = _read_fields(root_fd, b"etc/group", 4)
    uid, gid, home, name = _find_user(passwd, user_part or "0")
    members: list[int] = []
    if group_part:
        gid = _find_group(group, group_part)
    else:
        members = [_number(row[2]) for row in group if name and name in row[3].split(",") and row[2].isdecimal()]
    # The primary group is listed too: a negative ACL for it must not be escaped by a setgid program (CVE-2022-36109).
    wanted = [gid, *members, *(_find_group(group, extra) for extra in additional_groups)]
    return Identity(uid, gid, list(dict.fromkeys(wanted)), home or "/")


def _find_user(passwd: list[list[str]], user: str) -> tuple[int, int, str, str]:
    number = _number(user) if _is_number(user) else -1
    for row in passwd:
        if not row[2].isdecimal() or not row[3].isdecimal():
            continue
        if int(row[2]) == number if number >= 0 else row[0] == user:
            return _number(row[2]), _number(row[3]), row[5], row[0]
    if number < 0:
        raise StepFailed(f"unable to find user {user}: no matching entries in passwd file")
    return number, 0, "/", ""


def _find_group(group: list[list[str]], wanted: str) -> int:
    number = _number(wanted) if _is_number(wanted) else -1
    for row in group:
        if row[2].isdecimal() and (int(row[2]) == number if number >= 0 else row[0] == wanted):
            return _number(row[2])
    if number < 0:
        raise StepFailed(f"unable to find group {wanted}: no matching entries in group file")
    return number


def _is_number(text: str) -> bool:
    return text.removeprefix("-").removeprefix("+").isdecimal()


def _number(text: str) -> int:
    # The length first: a megabyte of digits must not become a big integer.
    if len(text) > 11 or not 0 <= int(text) <= _MAX_ID:
        raise StepFailed(f"uids and gids must be in range 0-{_MAX_ID}")
    return int(text)


def _read_fields(root_fd: int, path: bytes, count: int) -> list[list[str]]:
    """Read a colon-separated file; a missing file or root is empty, and short lines are padded."""
    try:
        # O_NONBLOCK: the image may have put a FIFO there (CVE-2024-9676).
        fd = openat2(root_fd, path, os.O_RDONLY | os.O_NONBLOCK, resolve=RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
    except (FileNotFoundError, NotADirectoryError):
        return []
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise StepFailed(f"/{path.decode()} is not a regular file")
        if status.st_size > _MAX_FILE_BYTES:
            raise StepFailed(f"/{path.decode()} is larger than {_MAX_FILE_BYTES} bytes")
        data = _read_all(fd, status.st_size + 1)
    finally:
        os.close(fd)
    rows = []
    for line in data.decode("utf-8", "replace").splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        fields = line.split(":")
        rows.append(fields + [""] * (count - len(fields)))
    return rows


def _read_all(fd: int, limit: int) -> bytes:
    """Read at most `limit` bytes: as much as there is, since a buffer of megabytes costs more than the file."""
    chunks = []
    while limit > 0 and (chunk := os.read(fd, limit)):
        chunks.append(chunk)
        limit -= len(chunk)
    return b"".join(chunks)
