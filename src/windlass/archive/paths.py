"""Names of archive entries as paths below a root: cleaned lexically, refused when they climb out."""

from __future__ import annotations

from windlass.archive.errors import EntryRefused

PATH_MAX = 4096
_SKIPPED = frozenset((b"", b"."))


def clean(name: bytes) -> bytes:
    """Return `name` relative to the root, without empty, `.` and `..` components; the root itself is empty.

    A leading slash means the root of the archive, as it does for dockerd.

    Raises:
        EntryRefused: `name` climbs above the root, is longer than the kernel takes, or holds a NUL.
    """
    if len(name) >= PATH_MAX:
        raise EntryRefused(name, "path is too long")
    if b"\0" in name:
        raise EntryRefused(name, "path holds a NUL byte")
    parts = [part for part in name.split(b"/") if part not in _SKIPPED]
    if b".." in parts:
        parts = _without_parents(name, parts)
    return b"/".join(parts)


def _without_parents(name: bytes, parts: list[bytes]) -> list[bytes]:
    kept: list[bytes] = []
    for part in parts:
        if part != b"..":
            kept.append(part)
        elif kept:
            kept.pop()
        else:
            raise EntryRefused(name, "path is outside the root")
    return kept
