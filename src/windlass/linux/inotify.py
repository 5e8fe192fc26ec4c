"""Watching files and directories for changes.

Source: inotify(7).
"""

from __future__ import annotations

import os

from windlass.linux._libc import check, libc

IN_MODIFY = 0x2
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
_IN_CLOEXEC = os.O_CLOEXEC
_IN_NONBLOCK = os.O_NONBLOCK
_EVENT_BUFFER = 65536


class Inotify:
    """One inotify instance; `fileno()` is readable when something happened."""

    def __init__(self) -> None:
        self._fd = check(libc.inotify_init1(_IN_CLOEXEC | _IN_NONBLOCK), "inotify_init1")

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._fd

    def watch(self, path: str, mask: int) -> None:
        """Watch `path` for the events of `mask`.

        Raises:
            OSError: the path is missing, or the user's watches are used up (ENOSPC).
        """
        check(libc.inotify_add_watch(self._fd, os.fsencode(path), mask), "inotify_add_watch", path)

    def drain(self) -> None:
        """Forget what happened so far."""
        try:
            while os.read(self._fd, _EVENT_BUFFER):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Close the instance and its watches."""
        os.close(self._fd)
