"""The first thing that a launching command does: the sealed interpreter is started, and warms up from then on.

It imports no more than it needs; everything else is imported while the other one starts.
"""

from __future__ import annotations

import _socket
import posix

from windlass.runtime.sealed import command_line, environment, sealed_program

LAUNCHING = frozenset({"create", "run", "exec"})


class Started:
    """The interpreter's pid, and the socket on which it waits for its request."""

    def __init__(self) -> None:
        self.control, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
        program = sealed_program()
        try:
            posix.set_inheritable(theirs.fileno(), True)
            arguments = command_line("windlass.runtime.oci.boot", [str(theirs.fileno())])
            self.pid = posix.posix_spawn(f"/proc/self/fd/{program}", arguments, environment())
        finally:
            posix.close(program)
            theirs.close()


def start_early(argv: list[str]) -> Started | None:
    """Start the interpreter if the command may need it.

    With --preserve-fds it has to wait: which descriptors are the caller's is not known yet.
    """
    if LAUNCHING.isdisjoint(argv) or any("preserve-fds" in word for word in argv):
        return None
    return Started()
