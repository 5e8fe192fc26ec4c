"""A supervisor's connection to one daemon."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable

from windlass.launch import wire
from windlass.launch.poller import READ, WRITE, Poller


class DaemonLink:
    """One daemon's connection. A daemon that is stopped or busy must not stop us: what it does not take waits here."""

    def __init__(self, poller: Poller, sock: socket.socket, serve: Callable[[DaemonLink], None]) -> None:
        sock.setblocking(False)
        self.socket = sock
        self._poller = poller
        self._serve = serve
        self._waiting: deque[wire.Message] = deque()
        poller.watch(sock.fileno(), READ, self._ready)

    def _ready(self, events: int) -> None:
        if events & WRITE:
            try:
                self._flush()
            except OSError:
                # The daemon is gone; reading finds the end of the connection.
                events |= READ
        if events & ~WRITE and self.socket.fileno() >= 0:
            self._serve(self)

    def send(self, message: wire.Message) -> None:
        """Send a message, after those that wait already.

        Raises:
            OSError: the daemon is gone.
        """
        self._waiting.append(message)
        self._flush()

    def _flush(self) -> None:
        try:
            while self._waiting:
                wire.send(self.socket, self._waiting[0])
                self._waiting.popleft()
        except BlockingIOError:
            pass
        self._poller.change(self.socket.fileno(), READ | WRITE if self._waiting else READ)

    @property
    def waiting(self) -> bool:
        """Whether the daemon has not taken everything yet."""
        return bool(self._waiting)

    def close(self) -> None:
        """Close the connection."""
        self._poller.forget(self.socket.fileno())
        self.socket.close()
