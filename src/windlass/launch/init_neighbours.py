"""Mounts that belong to another process's mount namespace.

open_tree(2) clones only what the caller's own namespace has: `/proc/<pid>/root/dev/shm` is seen from here and yet
cannot be bound (EINVAL). So the caller goes over there for the one call that it takes.
"""

from __future__ import annotations

import os

from windlass.linux import mount as m
from windlass.linux.fs import RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, openat2
from windlass.linux.namespaces import CLONE_NEWNS, setns


def clone_tree(source: str, *, recursive: bool) -> int:
    """Clone the mount at a host path, also below `/proc/<pid>/root`; returns its descriptor.

    Raises:
        OSError: as open_tree(2), openat2(2), setns(2).
    """
    process, path = _split(source)
    if process:
        return _clone_over_there(process, path, recursive=recursive)
    return m.open_tree(m.AT_FDCWD, source, recursive=recursive)


def is_elsewhere(source: str) -> bool:
    """Tell whether a host path leads through another process's root."""
    return bool(_split(source)[0])


def _split(source: str) -> tuple[str, str]:
    """Return `/proc/<pid>` and the path below its root; empty strings when `source` is no such path."""
    parts = source.split("/", 4)
    if len(parts) < 4 or parts[:2] != ["", "proc"] or not parts[2].isdecimal() or parts[3] != "root":
        return "", ""
    return f"/proc/{parts[2]}", parts[4] if len(parts) > 4 else "."


def _clone_over_there(process: str, path: str, *, recursive: bool) -> int:
    """Links in their files stay in their root, and a magic one (`/proc/self/cwd`) does not become ours."""
    root = os.open(f"{process}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = openat2(root, path.encode(), os.O_PATH, resolve=RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
    finally:
        os.close(root)
    own, theirs = _open_namespace("/proc/self"), _open_namespace(process)
    try:
        setns(theirs, CLONE_NEWNS)
        try:
            return m.open_tree(found, "", recursive=recursive)
        finally:
            setns(own, CLONE_NEWNS)
    finally:
        for fd in (own, theirs, found):
            os.close(fd)


def _open_namespace(process: str) -> int:
    return os.open(f"{process}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
