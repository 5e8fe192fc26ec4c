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

# It leaves without cleaning up: what it touches on its way out is charged to the container.
_PROGRAM = "import os; os.write(1, b'.'); os.read(0, 1); os._exit(0)"


class Holder:
    """One sleeping process, which reads from a pipe.

    It ends when somebody writes to the pipe, as the container's process does behind its writes to the control files,
    or when nobody has it open any more: this object, or a process that was about to enter and is gone.
    """

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

    @property
    def join_file(self) -> str:
        """What the container's process opens before, and writes to when it is inside."""
        return f"/proc/{self.pid}/fd/0"

    def release(self) -> None:
        """End it, and wait for its end."""
        if self._alive < 0:
            return
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self._alive)
        self._alive = -1
