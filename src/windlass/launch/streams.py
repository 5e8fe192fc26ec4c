"""The streams of one process: its output to the log and to attached clients, clients' input to its stdin.

Nothing is buffered beyond one chunk for each client: while a client's connection is full, the process's output is not
read, so a reader that stalls stalls the writer, as a pipe would (bounded memory; SECURITY: attach floods).

Source: Engine API, ContainerAttach, "Stream format".
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable

from windlass.launch.log_lines import Log
from windlass.launch.poller import HANGUP, READ, WRITE, Poller
from windlass.launch.wire import AttachSpec
from windlass.linux.process import keep_large_buffers

CHUNK = 64 * 1024
# A process that fills its pipe gets a larger one: fewer, larger reads and log writes.
_LARGE_CHUNK = 256 * 1024
_F_SETPIPE_SZ = 1031
STREAM_NUMBERS = {"stdout": 1, "stderr": 2}


class Client:
    """One attached connection."""

    def __init__(self, streams: Streams, fd: int, spec: AttachSpec) -> None:
        self._streams = streams
        self._poller = streams.poller
        self.socket = socket.socket(fileno=fd)
        self.socket.setblocking(False)
        self.spec = spec
        self.pending = b""
        self._typed = b""
        self._input_open = spec.stdin
        self._closing = False
        self._watch()
        if spec.leftover and spec.stdin:
            self._take_input(spec.leftover)

    def _wanted(self) -> int:
        events = WRITE if self.pending else 0
        if self._input_open and not self._streams.stdin_busy:
            events |= READ
        return events

    def _watch(self) -> None:
        self._poller.watch(self.socket.fileno(), self._wanted(), self._ready)

    def update(self) -> None:
        """Wait for what is wanted now."""
        if self.socket.fileno() >= 0:
            self._poller.change(self.socket.fileno(), self._wanted())

    def offer(self, stream: str, data: bytes) -> None:
        """Send a chunk, keeping what the connection does not take now."""
        if not (self.spec.stdout if stream == "stdout" else self.spec.stderr):
            return
        header = b""
        if self.spec.framed:
            header = bytes((STREAM_NUMBERS[stream], 0, 0, 0)) + len(data).to_bytes(4, "big")
        if self.pending:
            self.pending += header + data
            return
        try:
            sent = self.socket.sendmsg((header, data), (), socket.MSG_NOSIGNAL)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(header) + len(data):
            self.pending = (header + data)[sent:]
            self.update()

    def _ready(self, events: int) -> None:
        if events & WRITE and self.pending:
            self._flush()
        if events & READ and self._input_open:
            self._read()
        elif events & HANGUP and not events & READ:
            self.close()

    def _flush(self) -> None:
        try:
            sent = self.socket.send(self.pending, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        self.pending = self.pending[sent:]
        if not self.pending:
            if self._closing:
                self.close()
                return
            self.update()
            self._streams.resume()

    def _read(self) -> None:
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        if data:
            self._take_input(data)
            return
        self._input_open = False
        self.update()
        self._streams.input_ended(self)

    def _take_input(self, data: bytes) -> None:
        if self.spec.detach_keys:
            data, detached = self._scan_detach(data)
            if data:
                self._streams.feed(data)
            if detached:
                self._streams.detached()
                self.close()
            return
        self._streams.feed(data)

    def _scan_detach(self, data: bytes) -> tuple[bytes, bool]:
        """Hold back a prefix of the detach keys until it is clear whether they are being typed."""
        keys = self.spec.detach_keys
        buffer = self._typed + data
        self._typed = b""
        at = buffer.find(keys)
        if at >= 0:
            return buffer[:at], True
        for length in range(min(len(keys) - 1, len(buffer)), 0, -1):
            if buffer.endswith(keys[:length]):
                self._typed = buffer[-length:]
                return buffer[:-length], False
        return buffer, False

    def finish(self) -> None:
        """Close once everything was sent."""
        if self.pending:
            self._closing = True
            self._input_open = False
            self.update()
        else:
            self.close()

    def close(self) -> None:
        """Close the connection now."""
        fd = self.socket.fileno()
        if fd < 0:
            return
        self._poller.forget(fd)
        self.socket.close()
        self.pending = b""
        self._streams.forget(self)


class Streams:
    """Connects a process, its log and its clients."""

    def __init__(
        self,
        poller: Poller,
        log: Log,
        *,
        stdin_once: bool = False,
        on_drained: Callable[[], None],
        on_detach: Callable[[], None],
        on_quiet: Callable[[], None],
    ) -> None:
        self.poller = poller
        self._log = log
        self._stdin_once = stdin_once
        self._on_drained = on_drained
        self.detached = on_detach
        self._on_quiet = on_quiet
        self._outputs: dict[int, str] = {}
        self._stdin = -1
        self._stdin_pending = b""
        self._stdin_ending = False
        self._tty = False
        self._chunk = CHUNK
        self._clients: list[Client] = []
        self._opened = False
        self._ended = False
        log.on_ready = self.resume

    def open(self, outputs: dict[int, str], stdin: int, *, tty: bool = False) -> None:
        """Start pumping: descriptors of output with their stream's name, and the stdin end or -1."""
        self._tty = tty
        self._stdin = stdin
        self._opened = True
        for fd, stream in outputs.items():
            os.set_blocking(fd, False)
            self._outputs[fd] = stream
            self.poller.watch(fd, READ, lambda _events, fd=fd: self._pump(fd))  # type: ignore[misc]
        if stdin >= 0 and stdin not in outputs:
            os.set_blocking(stdin, False)
        for client in self._clients:
            client.update()
        if self._stdin_pending or self._stdin_ending:
            self._write_stdin()

    @property
    def clients(self) -> int:
        """How many connections are still open."""
        return len(self._clients)

    @property
    def drained(self) -> bool:
        """Whether every output has ended."""
        return not self._outputs

    @property
    def terminal(self) -> int:
        """The terminal's master, or -1."""
        return self._stdin if self._tty else -1

    @property
    def stdin_busy(self) -> bool:
        """Whether earlier input still waits for the process."""
        return bool(self._stdin_pending)

    def attach(self, fd: int, spec: AttachSpec) -> None:
        """Serve one more client."""
        client = Client(self, fd, spec)
        if client.socket.fileno() >= 0:
            self._clients.append(client)
        if self._ended:
            client.finish()

    # --- output ---------------------------------------------------------------------------------

    def _pump(self, fd: int) -> None:
        try:
            data = os.read(fd, self._chunk)
        except BlockingIOError:
            return
        except OSError:
            # EIO: the last slave of the terminal was closed.
            data = b""
        if not data:
            self._output_ended(fd)
            return
        if len(data) == CHUNK and fd != self._stdin:
            self._enlarge(fd)
        stream = self._outputs[fd]
        for client in tuple(self._clients):
            client.offer(stream, data)
        self._log.write(stream, data)
        if self._behind():
            self._pause()

    def _behind(self) -> bool:
        return self._log.busy or any(client.pending for client in self._clients)

    def _enlarge(self, fd: int) -> None:
        self._chunk = _LARGE_CHUNK
        keep_large_buffers()
        try:
            fcntl.fcntl(fd, _F_SETPIPE_SZ, _LARGE_CHUNK)
        except OSError:
            # The user's pipe quota: the small pipe works too.
            pass

    def _pause(self) -> None:
        for fd in self._outputs:
            self.poller.change(fd, 0)

    def resume(self) -> None:
        """Read output again once neither the log nor a client is behind."""
        if self._behind():
            return
        for fd in self._outputs:
            self.poller.change(fd, READ)

    def _output_ended(self, fd: int) -> None:
        stream = self._outputs.pop(fd)
        self.poller.forget(fd)
        if fd != self._stdin:
            os.close(fd)
        self._log.finish(stream)
        if not self._outputs:
            self._on_drained()

    def abandon_outputs(self) -> None:
        """Read what the pipes hold now and stop: the process is dead, but somebody else keeps them open."""
        for fd in tuple(self._outputs):
            while data := self._read_now(fd):
                stream = self._outputs[fd]
                # At most what a pipe holds is added to what a slow client has not taken yet.
                for client in tuple(self._clients):
                    client.offer(stream, data)
                self._log.write(stream, data)
            self._output_ended(fd)

    @staticmethod
    def _read_now(fd: int) -> bytes:
        try:
            return os.read(fd, CHUNK)
        except OSError:
            return b""

    # --- input ----------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Pass input to the process; a process that does not read stops its clients."""
        self._stdin_pending += data
        self._write_stdin()

    def input_ended(self, client: Client) -> None:
        """A client half-closed: the process's stdin ends with it when it was to be attached once."""
        if self._stdin_once and not self._tty:
            self._stdin_ending = True
            self._write_stdin()

    def _write_stdin(self) -> None:
        if self._stdin < 0:
            if self._opened:
                # The process has no stdin: what clients send goes nowhere, but they are read to notice their end.
                self._stdin_pending = b""
            return
        try:
            while self._stdin_pending:
                sent = os.write(self._stdin, self._stdin_pending)
                self._stdin_pending = self._stdin_pending[sent:]
        except BlockingIOError:
            self._wait_for_stdin()
            return
        except OSError:
            self._stdin_pending = b""
            self._stdin_ending = not self._tty
        self._stdin_unwatch()
        if self._stdin_ending and not self._tty:
            os.close(self._stdin)
            self._stdin = -1
        for client in self._clients:
            client.update()

    def _wait_for_stdin(self) -> None:
        if self._tty:
            events = READ | WRITE if self._stdin in self._outputs else WRITE
            self.poller.watch(self._stdin, events, self._terminal_ready)
        else:
            self.poller.watch(self._stdin, WRITE, lambda _events: self._write_stdin())
        for client in self._clients:
            client.update()

    def _terminal_ready(self, events: int) -> None:
        if events & WRITE:
            self._write_stdin()
        if events & ~WRITE and self._stdin in self._outputs:
            self._pump(self._stdin)

    def _stdin_unwatch(self) -> None:
        if self._tty and self._stdin in self._outputs:
            fd = self._stdin
            self.poller.watch(fd, READ, lambda _events: self._pump(fd))
        elif not self._tty:
            self.poller.forget(self._stdin)

    # --- end ------------------------------------------------------------------------------------

    def end(self) -> None:
        """The process has ended and its output was read: let the clients have the rest and close."""
        self._ended = True
        if self._stdin >= 0:
            self.poller.forget(self._stdin)
            os.close(self._stdin)
            self._stdin = -1
        for client in tuple(self._clients):
            client.finish()
        if not self._clients:
            self._on_quiet()

    def take_clients(self) -> list[Client]:
        """Return the clients, none of which is served any more."""
        clients, self._clients = self._clients, []
        return clients

    def forget(self, client: Client) -> None:
        """A client is gone."""
        if client in self._clients:
            self._clients.remove(client)
        self.resume()
        if self._ended and not self._clients:
            self._on_quiet()
