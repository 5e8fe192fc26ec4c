"""The supervisor's side of a remote log driver: lines go to a process of their own, which does the sending.

A receiver may stall, need a name resolved or a certificate checked; the supervisor must never wait for it. What that
process does not take stops the container's output from being read, as a pipe would: at most one chunk waits here.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Callable

from windlass.launch.init_context import StepFailed
from windlass.launch.log_lines import Partial
from windlass.launch.poller import HANGUP, WRITE, Poller
from windlass.launch.side_process import close_others
from windlass.linux.process import set_name
from windlass.spec.task import RemotePlan

# Stream's number, whether it is a part (1) and the last (2), the part's ordinal, time in nanoseconds, bytes to come.
FRAME = struct.Struct("<BBIqI")
_NUMBERS = {"stdout": 1, "stderr": 2}
_READY_S = 15.0
_LAST_WORDS_S = 1.0
_READY = b"ok\n"
_NOT_STARTED = 128


class RemoteSink:
    """Lines for the process that sends them; it lives a little longer than the container, to send the last."""

    def __init__(self, plan: RemotePlan, poller: Poller, on_ready: Callable[[], None]) -> None:
        self._poller = poller
        self._on_ready = on_ready
        self._pending = b""
        self._gone = False
        self._socket, theirs = socket.socketpair()
        self._pid = os.fork()
        if not self._pid:
            _ship_and_exit(plan, theirs)
        theirs.close()
        self._wait_until_ready()
        self._socket.setblocking(False)
        poller.watch(self._socket.fileno(), 0, self._woken)

    def _wait_until_ready(self) -> None:
        """Wait until the receiver was reached: a container whose log goes nowhere does not start."""
        self._socket.settimeout(_READY_S)
        words = b""
        try:
            while not words.endswith(b"\n") and (more := self._socket.recv(4096)):
                words += more
        except TimeoutError:
            words = b"i/o timeout\n"
        if words == _READY:
            return
        self._socket.close()
        reason = words.decode("utf-8", "replace").strip() or "the log driver's process died"
        raise StepFailed(f"failed to initialize logging driver: {reason}", _NOT_STARTED)

    @property
    def busy(self) -> bool:
        """Whether earlier lines wait to be taken."""
        return bool(self._pending)

    def lines(self, stream: str, block: bytes, time_ns: int) -> None:
        """Send complete lines."""
        self._send(FRAME.pack(_NUMBERS[stream], 0, 0, time_ns, len(block)), block)

    def part(self, stream: str, data: bytes, time_ns: int, partial: Partial) -> None:
        """Send a part of a line."""
        kind = 3 if partial.last else 1
        self._send(FRAME.pack(_NUMBERS[stream], kind, partial.ordinal, time_ns, len(data)), data)

    def _send(self, header: bytes, data: bytes) -> None:
        if self._gone:
            return
        if self._pending:
            self._pending += header + data
            return
        try:
            sent = self._socket.sendmsg((header, data), (), socket.MSG_NOSIGNAL)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lost()
            return
        if sent < len(header) + len(data):
            self._pending = (header + data)[sent:]
            self._poller.change(self._socket.fileno(), WRITE)

    def _woken(self, events: int) -> None:
        if events & HANGUP:
            self._lost()
            return
        try:
            sent = self._socket.send(self._pending, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return
        except OSError:
            self._lost()
            return
        self._pending = self._pending[sent:]
        if not self._pending:
            self._poller.change(self._socket.fileno(), 0)
            self._on_ready()

    def _lost(self) -> None:
        """The other process died, which only a fault of ours or a person can do: the container goes on."""
        self._gone = True
        self._pending = b""
        self._poller.forget(self._socket.fileno())
        sys.stderr.write('level=error msg="log driver died, its lines are lost"\n')
        sys.stderr.flush()
        try:
            os.waitpid(self._pid, os.WNOHANG)
        except ChildProcessError:
            pass
        self._on_ready()

    def close(self) -> None:
        """Send what waits, but not for long: whoever waits for the container's end waits for this."""
        if not self._gone:
            self._poller.forget(self._socket.fileno())
        if self._pending:
            self._socket.settimeout(_LAST_WORDS_S)
            try:
                self._socket.sendall(self._pending)
            except OSError:
                sys.stderr.write('level=warning msg="log receiver too slow, last lines are lost"\n')
                sys.stderr.flush()
        self._socket.close()


def _ship_and_exit(plan: RemotePlan, theirs: socket.socket) -> None:
    """Become the process that sends; never returns."""
    status = 1
    try:
        set_name("windlass-log")
        close_others(theirs.fileno(), 2)
        # Imported by this process alone: a supervisor shall stay small.
        from windlass.launch.log_ship import ship

        ship(plan, theirs)
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
