"""Datagram sockets with descriptors, on the event loop."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence

from windlass.launch import wire


class Channel:
    """One end of a SOCK_SEQPACKET connection; every message is handled in the loop's thread as it comes.

    `on_message` gets the data and its descriptors, and owns them. `on_close` is called once, at the end of file.
    """

    def __init__(
        self,
        sock: socket.socket,
        on_message: Callable[[bytes, list[int]], None],
        on_close: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._on_message = on_message
        self._on_close = on_close
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock.fileno(), self._readable)

    @property
    def open(self) -> bool:
        """Whether the connection is still there."""
        return self._socket.fileno() >= 0

    async def send(self, message: wire.Message, fds: Sequence[int] = ()) -> None:
        """Send one message, waiting while the peer's queue is full.

        Raises:
            OSError: the peer is gone.
        """
        while True:
            if not self.open:
                raise BrokenPipeError("connection closed")
            try:
                wire.send(self._socket, message, list(fds))
                return
            except BlockingIOError:
                await self._writable()

    async def _writable(self) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        fd = self._socket.fileno()

        def writable() -> None:
            if not ready.done():
                ready.set_result(None)

        self._loop.add_writer(fd, writable)
        try:
            await ready
        finally:
            self._loop.remove_writer(fd)

    def _readable(self) -> None:
        try:
            data, fds = wire.receive(self._socket)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        if data:
            self._on_message(data, fds)
            return
        for fd in fds:
            os.close(fd)
        self.close()

    def close(self) -> None:
        """Close; `on_close` hears of it once."""
        if not self.open:
            return
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        self._on_close()


def seqpacket_pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected ends, close-on-exec."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
