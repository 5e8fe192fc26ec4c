"""Staying with a process: adopting it, passing signals on, holding its terminal, and its exit code."""

from __future__ import annotations

import _socket
import os

from windlass.base.errors import System
from windlass.linux import signals
from windlass.linux.descriptors import receive_fds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from windlass.runtime.oci.terminal import Terminal

_FORWARDED = (
    signals.SIGHUP,
    signals.SIGINT,
    signals.SIGQUIT,
    signals.SIGTERM,
    signals.SIGUSR1,
    signals.SIGUSR2,
    signals.SIGCONT,
    signals.SIGTSTP,
)
_SIGNALLED = 128
_PATH_BYTES = 107
_CLD_EXITED = 1


def connect(path: str) -> int:
    """Connect to the unix socket that takes a terminal's master.

    Raises:
        System: nobody listens there.
    """
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        if len(os.fsencode(path)) <= _PATH_BYTES:
            sock.connect(path)
        else:
            directory = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                sock.connect(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
            finally:
                os.close(directory)
    except OSError as error:
        sock.close()
        raise System(f"dial unix {path}: connect: {error.strerror}") from None
    return sock.detach()


class Foreground:
    """A context in which a launched process becomes our child, although somebody else forked it.

    With `follows` false it does nothing, so that callers need not ask. `terminal` makes a terminal of the process's
    show on ours. Without `adopts`, only this process becomes our child, and none of its orphans.
    """

    terminal_socket: int | None = None

    def __init__(self, *, follows: bool, terminal: bool, adopts: bool = True) -> None:
        self._follows = follows
        self._adopts = adopts
        self._wants_terminal = terminal
        self._pidfd = -1
        self._master_socket: _socket.socket | None = None
        self._their_socket: _socket.socket | None = None
        self._terminal: Terminal | None = None

    def __enter__(self) -> Self:
        if self._follows:
            from windlass.linux.process import become_subreaper

            become_subreaper()
        if self._wants_terminal:
            self._master_socket, self._their_socket = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
            self.terminal_socket = self._their_socket.fileno()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._terminal is not None:
            self._terminal.restore()

    def take(self, pidfd: int) -> None:
        """Watch over the running process: signals sent to us are its from now on."""
        if not self._follows:
            return
        if not self._adopts:
            from windlass.linux.process import PR_SET_CHILD_SUBREAPER, prctl

            prctl(PR_SET_CHILD_SUBREAPER, 0)
        self._pidfd = os.dup(pidfd)
        for number in _FORWARDED:
            signals.handle(number, self._forward)
        if self._master_socket is not None:
            from windlass.runtime.oci.terminal import Terminal

            self._terminal = Terminal(_receive_master(self._master_socket))
            signals.handle(signals.SIGWINCH, lambda _number, _frame: self._resize())

    def reap(self, pid: int) -> None:
        """Take the end of a process that has failed: its pid namespace cannot end while nobody has."""
        if self._follows:
            os.waitpid(pid, 0)

    def wait(self, pid: int) -> int:
        """Wait for the process's end; returns its exit code, 128+n for death by signal n."""
        if self._terminal is not None:
            self._terminal.copy_until_end(self._pidfd)
        ended = 0
        while ended != pid:
            # Orphans of a container that shares its processes with the host come to us, and end with us as well.
            ended, status = os.waitpid(-1, 0)
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else _SIGNALLED - code

    def _forward(self, number: int, _frame: object) -> None:
        try:
            signals.send(self._pidfd, number)
        except ProcessLookupError:
            return

    def _resize(self) -> None:
        if self._terminal is not None:
            self._terminal.resize()


def _receive_master(sock: _socket.socket) -> int:
    """Take the terminal that init made."""
    _data, fds = receive_fds(sock, 1)
    if not fds:
        raise System("the process gave no terminal")
    return fds[0]
