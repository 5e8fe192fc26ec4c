"""One daemon per state directory: a locked pid file.

The lock is the kernel's and ends with the process, so a pid file left by a crash is no obstacle.
"""

from __future__ import annotations

import fcntl
import os

from windlass.base.errors import Conflict


class PidFile:
    """Holds the lock of `path` from `acquire` to the end of the process."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1

    def acquire(self) -> None:
        """Lock the file and write our pid.

        Raises:
            Conflict: another daemon runs.
        """
        os.makedirs(os.path.dirname(self._path), 0o711, exist_ok=True)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
            os.close(fd)
            raise Conflict(
                "failed to start daemon, ensure the daemon is not running or delete "
                f"{self._path}: process with PID {pid or 'unknown'} is still running"
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"%d" % os.getpid(), 0)
        self._fd = fd

    def release(self) -> None:
        """Remove the file, if it is still ours, and the lock with it."""
        if self._fd < 0:
            return
        try:
            if os.stat(self._path).st_ino == os.fstat(self._fd).st_ino:
                os.unlink(self._path)
        except FileNotFoundError:
            pass
        os.close(self._fd)
        self._fd = -1
