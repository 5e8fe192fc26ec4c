"""Mounts of a container that does not run, in a worker's own mount namespace: nobody sees them, they end with it.

Every place below the root is looked up by the kernel, inside the root, and used by descriptor: a neighbour that shares
a volume and swaps a directory for a link in between redirects nothing, and nothing is ever made on the host
(CVE-2026-41568, CVE-2026-42306).
"""

from __future__ import annotations

import os
import stat

from windlass.files.model import Bind, Root
from windlass.launch.init_root import mount_overlay
from windlass.launch.init_targets import ensure_directory_at, ensure_file_at
from windlass.linux import mount as m
from windlass.linux.namespaces import CLONE_NEWNS, unshare
from windlass.spec.plan import OverlayRoot

_INERT = m.MOUNT_ATTR_NODEV | m.MOUNT_ATTR_NOEXEC | m.MOUNT_ATTR_NOSUID
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def leave_host() -> None:
    """Go into a mount namespace whose mounts the host does not see. Only for single-threaded processes."""
    unshare(CLONE_NEWNS)
    m.mount(None, "/", None, m.MS_REC | m.MS_PRIVATE)


def mount_container(root: Root) -> int:
    """Mount a container as its processes would see it, without what only they have; return its root.

    Raises:
        OSError: the kernel refused, or a bind's source is gone.
    """
    if root.lower:
        root_fd = _mount_overlay(root, root.lower, root.upper, root.work)
    else:
        root_fd = _mount_directory(root.upper, root.target)
    for bind in root.binds:
        _bind(root_fd, bind)
    if root.read_only:
        m.mount_setattr(root_fd, attr_set=m.MOUNT_ATTR_RDONLY)
    return root_fd


def mount_view(root: Root) -> int:
    """Mount all of a container's own layers, read-only; it may be running. Return the root."""
    if not root.lower:
        return clone_inert(root.upper)
    return _mount_overlay(root, [root.upper, *root.lower])


def mount_image(root: Root) -> int:
    """Mount the layers below a container's own, read-only; return the root, -1 when there are none."""
    if not root.lower:
        return -1
    if len(root.lower) == 1:
        return os.open(f"{root.base}/{root.lower[0]}", _DIRECTORY)
    return _mount_overlay(root, root.lower)


def clone_inert(path: str) -> int:
    """Return a directory of the host through a mount of its own, in which no device opens."""
    tree = m.open_tree(m.AT_FDCWD, path, recursive=False)
    try:
        m.mount_setattr(tree, attr_set=_INERT)
        return os.open(".", _DIRECTORY, dir_fd=tree)
    finally:
        os.close(tree)


def _mount_directory(path: str, place: str) -> int:
    """Bind a directory at a place: what is to be bound on top of it later wants it attached."""
    tree = m.open_tree(m.AT_FDCWD, path, recursive=False)
    target = os.open(place, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        m.mount_setattr(tree, attr_set=_INERT)
        m.move_mount(tree, target)
        return os.open(place, _DIRECTORY)
    finally:
        os.close(target)
        os.close(tree)


def _mount_overlay(root: Root, lower: list[str], upper: str = "", work: str = "") -> int:
    """Mount layers, read-only without an upper one; return their root."""
    mount_overlay(OverlayRoot(root.target, root.base, lower, upper, work, readonly=not upper, data=root.options))
    root_fd = os.open(root.target, _DIRECTORY)
    m.mount_setattr(root_fd, attr_set=_INERT)
    return root_fd


def _bind(root_fd: int, bind: Bind) -> None:
    tree = m.open_tree(m.AT_FDCWD, bind.source, recursive=True)
    try:
        m.mount_setattr(tree, attr_set=_INERT, recursive=True)
        if bind.read_only:
            m.mount_setattr(tree, attr_set=m.MOUNT_ATTR_RDONLY, recursive=True)
        if stat.S_ISDIR(os.fstat(tree).st_mode):
            target = ensure_directory_at(root_fd, bind.destination, 0o755)
        else:
            target = ensure_file_at(root_fd, bind.destination)
        try:
            m.move_mount(tree, target)
        finally:
            os.close(target)
    finally:
        os.close(tree)
