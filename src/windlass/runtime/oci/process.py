"""The sealed interpreter, seen from the command that starts it.

It is spawned before anything else is done, and imports what init needs while the command reads the bundle. Then it gets
one message, with descriptors; it forks the process, says its pid, and ends, so that the process shares no page with a
parent when it enters its control groups. From then on the command talks to the process itself: it answers its `Sync`
messages, and reads from the failure pipe until that ends.

Source: Modules/socketmodule.c for `_socket`, whose wrapper `socket` takes longer to import than a container to start.
"""

from __future__ import annotations

import _socket
import marshal
import os
import select

from windlass.base import cold_json
from windlass.base.errors import InvalidParameter, System
from windlass.linux.descriptors import MAX_FDS, receive_fds, send_fds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from windlass.runtime.oci.early import Started

FDS_FIELD = "fds"
HEADER_BYTES = 8
_MAX_MESSAGE = 1 << 16
_MAX_FAILURE = 1 << 20
_EXIT_FAILURE = 125


class NotStarted(System):
    """The process ended before its program began; `exit_code` is 126 or 127 where the program is to blame."""

    def __init__(self, message: str, exit_code: int = _EXIT_FAILURE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Interpreter:
    """The sealed interpreter, warming up; what the caller left open for the container passes through it."""

    def __init__(self, started: Started) -> None:
        self._pid = started.pid
        self._control = started.control

    def launch(self, request: dict[str, Any], fds: dict[str, int], ends: tuple[int, int] | None = None) -> Launch:
        """Have the process forked. `request` is made of basic types, `fds` are passed on by name and stay ours.

        `ends` are those of the pipe in which a failure is told (default: a new one); they become the launch's.

        Raises:
            NotStarted: it could not be; the text says why.
        """
        sync, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        failure, their_failure = ends or os.pipe2(os.O_CLOEXEC)
        try:
            passed = {"sync": theirs.fileno(), "failure": their_failure, **fds}
            self._send({**request, FDS_FIELD: list(passed)}, list(passed.values()))
        except BaseException:
            os.close(failure)
            raise
        finally:
            theirs.close()
            os.close(their_failure)
        launch = Launch(sync, failure)
        try:
            launch.pid, launch.pidfd = self._answer()
        except BaseException:
            launch.close()
            raise
        return launch

    def _send(self, message: dict[str, Any], fds: list[int]) -> None:
        data = marshal.dumps(message)
        try:
            send_fds(self._control, len(data).to_bytes(HEADER_BYTES, "little"), fds)
            self._control.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise NotStarted("the sealed interpreter ended before its time") from None

    def _answer(self) -> tuple[int, int]:
        data, fds = receive_fds(self._control, _MAX_MESSAGE)
        self.end()
        text = data.decode()
        if not fds or not text.isdecimal():
            raise NotStarted(text or "the sealed interpreter ended before its time")
        return int(text), fds[0]

    def end(self) -> None:
        """Wait for its end, which the end of our socket brings about; may be called again."""
        if self._pid:
            self._control.close()
            os.waitpid(self._pid, 0)
            self._pid = 0


class Launch:
    """A process between fork and program."""

    def __init__(self, sync: _socket.socket, failure: int) -> None:
        self.pid = 0
        self.pidfd = -1
        self._sync = sync
        self._failure = failure

    def follow(self, answer: Callable[[str, int, int], str], until: str | None = None) -> None:
        """Answer `Sync` messages until the program runs, or the point `until` is reached.

        `answer` gets point, pid and descriptor number (as the process itself sees them) and returns why the process
        must not go on, or an empty text.

        Raises:
            NotStarted: the process failed, in its own words.
        """
        poll = select.poll()
        poll.register(self._sync.fileno(), select.POLLIN)
        poll.register(self._failure, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            # The messages first: at the end of the process both are readable.
            if self._sync.fileno() in ready:
                message = self._sync.recv(_MAX_MESSAGE)
                if not message:
                    poll.unregister(self._sync.fileno())
                elif self._reply(message, answer) == until:
                    return
            elif self._failure in ready:
                self._raise_failure()
                return

    def _reply(self, message: bytes, answer: Callable[[str, int, int], str]) -> str:
        """Answer one message; returns the point from which the process goes on, if it does."""
        told = cold_json.loads(message)
        point = str(told["point"])
        refusal = answer(point, int(told.get("pid", 0)), int(told.get("fd", -1)))
        self._sync.send(f"0{refusal}".encode() if refusal else b"1")
        return "" if refusal else point

    def _raise_failure(self) -> None:
        data = read_failure(self._failure)
        if data:
            raise failure_of(data)

    def close(self) -> None:
        """Let go of it; before its program began, this is its end."""
        self._sync.close()
        for fd in (self._failure, self.pidfd):
            if fd >= 0:
                os.close(fd)
        self._failure = self.pidfd = -1


def read_failure(fd: int) -> bytes:
    """Read what the process says of its failure until it has ended, or has become its program."""
    chunks: list[bytes] = []
    while (chunk := os.read(fd, _MAX_MESSAGE)) and sum(map(len, chunks)) < _MAX_FAILURE:
        chunks.append(chunk)
    return b"".join(chunks)


def failure_of(data: bytes) -> NotStarted:
    """Return what the process said, as an error."""
    try:
        told = cold_json.loads(data)
        return NotStarted(str(told["message"]), int(told.get("exit_code", _EXIT_FAILURE)))
    except (ValueError, KeyError, TypeError):
        return NotStarted(data.decode(errors="replace"))


def check_preserved(count: int) -> None:
    """Refuse a number of descriptors that the caller did not give us.

    Raises:
        InvalidParameter: in runc's words.
    """
    if not 0 <= count <= MAX_FDS:
        raise InvalidParameter(f"invalid preserve-fds: {count}")
    for fd in range(3, 3 + count):
        try:
            os.fstat(fd)
        except OSError:
            text = f"unable to stat preserved-fd {fd - 3} (of {count}): please check that preserved-fd is actually open"
            raise InvalidParameter(text) from None
