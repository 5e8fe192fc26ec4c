"""The daemons that are connected to a supervisor: usually one, two while a new one takes over."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import msgspec

from windlass.launch import wire
from windlass.launch.daemon_link import DaemonLink
from windlass.launch.init_context import StepFailed
from windlass.launch.poller import READ, Poller

# Handles a request whose descriptors are its own to close; what it raises is the answer.
Handle = Callable[[DaemonLink, wire.ToSupervisor, list[int]], None]

_FAILED = 125


class DaemonLinks:
    """All connections: accepted, read, and told of what happens."""

    def __init__(self, poller: Poller, listener: socket.socket, handle: Handle) -> None:
        self._poller = poller
        self._listener = listener
        self._handle = handle
        self._links: list[DaemonLink] = []
        listener.setblocking(False)
        poller.watch(listener.fileno(), READ, lambda _events: self._accept())

    @property
    def waiting(self) -> bool:
        """Whether a daemon has not taken everything yet."""
        return any(link.waiting for link in self._links)

    def add(self, connection: socket.socket) -> None:
        """Serve a connection."""
        self._links.append(DaemonLink(self._poller, connection, self._serve))

    def send(self, link: DaemonLink, message: wire.Message) -> None:
        """Send to one; one that is gone is forgotten."""
        try:
            link.send(message)
        except OSError:
            self._remove(link)

    def broadcast(self, message: wire.Message) -> None:
        """Send to all."""
        for link in tuple(self._links):
            self.send(link, message)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        self.add(connection)

    def _remove(self, link: DaemonLink) -> None:
        if link in self._links:
            self._links.remove(link)
            link.close()

    def _serve(self, link: DaemonLink) -> None:
        try:
            data, fds = wire.receive(link.socket)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        if not data:
            self._remove(link)
            return
        try:
            request = wire.supervisor_decoder.decode(data)
        except msgspec.DecodeError:
            # A newer daemon's message: refusing is better than dying with the container.
            close_all(fds)
            return
        try:
            self._handle(link, request, fds)
        except (OSError, ValueError, StepFailed) as error:
            self.send(link, wire.Done(seq=request.seq, error=str(error), exit_code=_FAILED))


def close_all(fds: list[int]) -> None:
    """Close descriptors."""
    for fd in fds:
        os.close(fd)
