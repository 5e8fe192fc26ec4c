"""Directories below a root, by descriptor: where an archive's entries land.

Every directory is opened with openat2(RESOLVE_IN_ROOT), so symbolic links that the archive itself planted are followed
as a process chrooted to the root would follow them, and never further.
"""

from __future__ import annotations

import os
import stat
from types import TracebackType

from windlass.archive.errors import EntryRefused
from windlass.linux import removal
from windlass.linux.fs import RESOLVE_NO_MAGICLINKS, open_in_root, openat2

# Well below RLIMIT_NOFILE: archives list a directory's files together, so few of these are ever wanted again.
_MAX_OPEN = 128
_DIRECTORY = os.O_PATH | os.O_DIRECTORY
_IMPLIED_MODE = 0o755


class Tree:
    """A root directory and open descriptors of directories below it.

    The descriptors are good because nothing but this process writes below the root, and because `remove` forgets them
    all when what it removes might lie on the way to one.
    """

    def __init__(self, root_fd: int, *, chrooted: bool = False) -> None:
        """Keep directories below `root_fd`.

        `chrooted` says that it is a directory of the process's root: links lead from there to anywhere in that.
        """
        self._root_fd = root_fd
        self._chrooted = chrooted
        self._open: dict[bytes, int] = {}
        # Directories made because something below them was: entries in all but name.
        self.implied = 0

    def __enter__(self) -> Tree:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._forget()

    def directory(self, path: bytes) -> int:
        """Return an O_PATH descriptor of the directory `path` (cleaned), owned by the tree; make it when missing.

        It stays open at least until the next but one call.

        Raises:
            EntryRefused: something on the way is not a directory.
            OSError: the kernel refused.
        """
        fd = self._open.pop(path, -1)
        if fd == -1:
            if not path:
                return self._root_fd
            fd = self._open_or_make(path)
        return self._keep(path, fd)

    def _keep(self, path: bytes, fd: int) -> int:
        # Last in the dict is the last used; the first is the one to close.
        if len(self._open) >= _MAX_OPEN:
            os.close(self._open.pop(next(iter(self._open))))
        self._open[path] = fd
        return fd

    def existing_directory(self, path: bytes) -> int | None:
        """Return a descriptor as `directory` does, or None when there is no such directory."""
        if path in self._open or not path:
            return self.directory(path)
        try:
            return self._keep(path, self._open_below(path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _open_below(self, path: bytes) -> int:
        if self._chrooted:
            return openat2(self._root_fd, path, _DIRECTORY, resolve=RESOLVE_NO_MAGICLINKS)
        return open_in_root(self._root_fd, path, _DIRECTORY)

    def _open_or_make(self, path: bytes) -> int:
        missing: list[bytes] = []
        while True:
            try:
                fd = self._open_below(path or b".")
                break
            except FileNotFoundError:
                path, _, base = path.rpartition(b"/")
                missing.append(base)
            except NotADirectoryError:
                raise EntryRefused(path, "not a directory") from None
        while missing:
            try:
                child = self._make_implied(fd, missing.pop())
            finally:
                os.close(fd)
            fd = child
        return fd

    def _make_implied(self, parent_fd: int, base: bytes) -> int:
        self.implied += 1
        try:
            os.mkdir(base, _IMPLIED_MODE, dir_fd=parent_fd)
        except FileExistsError:
            # It is there and does not open: a symbolic link to nothing.
            raise EntryRefused(base, "not a directory") from None
        fd = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent_fd)
        # The mask of the process is not ours to rely on. By descriptor: a running container may have swapped the name.
        os.fchmod(fd, _IMPLIED_MODE)
        return fd

    def remove(self, parent_fd: int, base: bytes) -> None:
        """Remove `base` and all below it; a missing one is fine.

        Raises:
            OSError: the kernel refused.
        """
        try:
            mode = os.lstat(base, dir_fd=parent_fd).st_mode
        except FileNotFoundError:
            return
        if stat.S_ISDIR(mode):
            self._forget_but(parent_fd)
            removal.remove(parent_fd, base)
        else:
            if stat.S_ISLNK(mode):
                self._forget_but(parent_fd)
            os.unlink(base, dir_fd=parent_fd)

    def _forget_but(self, kept_fd: int) -> None:
        for path, fd in list(self._open.items()):
            if fd != kept_fd:
                os.close(self._open.pop(path))

    def _forget(self) -> None:
        self._forget_but(-1)
