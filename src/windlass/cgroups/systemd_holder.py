"""A process that keeps a scope alive until the container's own process is inside.

systemd starts a scope with the processes that it is given, and stops it when it is empty. The container's process
enters late, and whatever runs before must not be charged to the container: so another process sits in the scope
meanwhile, asleep since before it was moved there.
"""

from __future__ import annotations

import os
import signal
import sys

from windlass.cgroups.model import CgroupError

_PROGRAM = "import os; os.write(1, b'.'); os.read(0, 1)"


class Holder:
    """One sleeping process. It ends with `release`, or when whoever started it is gone."""

    def __init__(self) -> None:
        """Start it and wait until it sleeps (10 ms)."""
        asleep_read, asleep_write = os.pipe2(os.O_CLOEXEC)
        alive_read, self._alive = os.pipe2(os.O_CLOEXEC)
        try:
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", "-c", _PROGRAM],
                {},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, alive_read, 0),
                    (os.POSIX_SPAWN_DUP2, asleep_write, 1),
                    (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
                ],
                setsid=True,
            )
            os.close(asleep_write)
            asleep_write = -1
            ready = os.read(asleep_read, 1)
        except OSError as error:
            os.close(self._alive)
            raise CgroupError(f"cannot start a process for the scope: {error}") from error
        finally:
            for fd in (asleep_read, alive_read, asleep_write):
                if fd >= 0:
                    os.close(fd)
        if not ready:
            self.release()
            raise CgroupError("the process for the scope ended at once")

    def release(self) -> None:
        """End it. It is killed, not woken: what it would touch on its way out would be charged to the container."""
        if self._alive < 0:
            return
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self._alive)
        self._alive = -1
