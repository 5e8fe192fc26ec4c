"""Whiteouts on a real tree: as overlay stores them, or carried out at once."""

from __future__ import annotations

import os
import stat
from typing import Protocol

from windlass.archive.tree import Tree
from windlass.archive.whiteouts import OVERLAY_OPAQUE_XATTR

_LISTABLE = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class WhiteoutSink(Protocol):
    """What applying a layer tells about names that it makes and hides. Paths are cleaned.

    A whiteout concerns what was there before the layer, in whichever order the layer's entries come.
    """

    def prepare(self, path: bytes) -> None:
        """Something is about to be made at or below `path`."""
        ...

    def made(self, path: bytes, *, directory: bool) -> None:
        """Something was made at `path`."""
        ...

    def white_out(self, parent: bytes, name: bytes) -> None:
        """Hide `name` in `parent`."""
        ...

    def make_opaque(self, path: bytes) -> None:
        """Hide everything that the directory `path` had."""
        ...


class OverlayWhiteouts:
    """Writes overlay's marks: a 0/0 device hides a name, an xattr hides what a directory had.

    Source: kernel overlayfs.rst, "whiteouts and opaque directories".
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._hidden: set[bytes] = set()

    def prepare(self, path: bytes) -> None:
        """Turn whiteouts on the way to `path` into opaque directories: the entry below implies them."""
        if not self._hidden:
            return
        end = path.find(b"/")
        while end != -1:
            ancestor = path[:end]
            if ancestor in self._hidden:
                parent, _, base = ancestor.rpartition(b"/")
                self._tree.remove(self._tree.directory(parent), base)
                self.made(ancestor, directory=True)
            end = path.find(b"/", end + 1)

    def made(self, path: bytes, *, directory: bool) -> None:
        """A directory where a whiteout was must not show what that hid."""
        if path in self._hidden:
            self._hidden.discard(path)
            if directory:
                self.make_opaque(path)

    def white_out(self, parent: bytes, name: bytes) -> None:
        """Make the 0/0 device; where the layer itself has `name` already, only hide what is below that."""
        parent_fd = self._tree.directory(parent)
        path = parent + b"/" + name if parent else name
        try:
            # Needs no CAP_MKNOD: the kernel lets everyone make this one.
            os.mknod(name, stat.S_IFCHR, os.makedev(0, 0), dir_fd=parent_fd)
        except FileExistsError:
            if stat.S_ISDIR(os.lstat(name, dir_fd=parent_fd).st_mode):
                self.make_opaque(path)
        else:
            self._hidden.add(path)

    def make_opaque(self, path: bytes) -> None:
        """Set the xattr on the directory, made when missing."""
        fd = os.open(b".", _LISTABLE, dir_fd=self._tree.directory(path))
        try:
            os.setxattr(fd, OVERLAY_OPAQUE_XATTR, b"y")
        finally:
            os.close(fd)


class RemovingWhiteouts:
    """Removes what is hidden, except what this layer has made."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        # Every path of this layer, and every directory above one.
        self._made: set[bytes] = set()

    def prepare(self, path: bytes) -> None:
        """Nothing to do: what was hidden is gone."""

    def made(self, path: bytes, *, directory: bool) -> None:
        """Remember `path` and what leads to it."""
        while path and path not in self._made:
            self._made.add(path)
            path = path.rpartition(b"/")[0]

    def white_out(self, parent: bytes, name: bytes) -> None:
        """Remove `name`, or of a directory that this layer made or filled, the rest."""
        parent_fd = self._tree.existing_directory(parent)
        if parent_fd is None:
            return
        path = parent + b"/" + name if parent else name
        if path not in self._made:
            self._tree.remove(parent_fd, name)
        else:
            self.make_opaque(path)

    def make_opaque(self, path: bytes) -> None:
        """Remove from the directory, at every depth, what is not of this layer."""
        waiting = [path]
        while waiting:
            path = waiting.pop()
            fd = self._tree.existing_directory(path)
            for name, is_directory in _listing(fd) if fd is not None else ():
                child = path + b"/" + name if path else name
                if child not in self._made:
                    self._tree.remove(self._tree.directory(path), name)
                elif is_directory:
                    waiting.append(child)


def _listing(path_fd: int) -> list[tuple[bytes, bool]]:
    fd = os.open(b".", _LISTABLE, dir_fd=path_fd)
    try:
        with os.scandir(fd) as entries:
            return [(os.fsencode(entry.name), entry.is_dir(follow_symlinks=False)) for entry in entries]
    finally:
        os.close(fd)
