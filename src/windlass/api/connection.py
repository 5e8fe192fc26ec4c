"""A client's connection, which a handler may take over from the HTTP server.

    attach, exec   101 or 200, then a raw stream in both directions: the descriptor goes to a supervisor
    logs, save     200, then the body until the end of the connection: the descriptor goes to a worker

Bytes that a client sends after an upgrade request belong to the stream, however early they come: they are kept from
the HTTP parser. After the take-over nothing of the event loop touches the connection; it is not shut down, so that
half-closing works.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from windlass.api.bounds import HEAD_LIMIT_BYTES, HEAD_TIMEOUT_S, Bounds
from windlass.api.observing import peer_of
from windlass.base.errors import Cancelled
from windlass.base.logging import event

_log = logging.getLogger(__name__)

# A client that sends more than this before the answer to its upgrade request is made to wait.
_HELD_LIMIT_BYTES = 256 * 1024
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_UPGRADE = re.compile(rb"\r\nupgrade:[ \t]*tcp[ \t]*\r\n", re.IGNORECASE)
_SEND_TIMEOUT_S = 10.0
# aiohttp reads the rest of a body that nobody wanted for ten seconds.
_LINGER_S = 12.0


def upgrade_request_size(data: bytes) -> int | None:
    """Return the size of the upgrade request that `data` begins with, body included; None when it is another one."""
    end = data.find(_HEAD_END)
    if end < 0:
        return None
    head = data[: end + 2]
    if not _UPGRADE.search(head):
        return None
    length = _LENGTH.search(head)
    return end + len(_HEAD_END) + (int(length[1]) if length else 0)


@dataclass(slots=True)
class TakenOver:
    """A connection that is ours alone: its descriptor, and what the client has sent beyond its request."""

    fd: int
    leftover: bytes

    def close(self) -> None:
        """Close it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class Connection(RequestHandler):
    """aiohttp's protocol with a way out of HTTP."""

    __slots__ = ("_bounds", "_head_bytes", "_held", "_lingering", "_request_left", "_slow", "lost", "peer", "subject")

    def __init__(self, bounds: Bounds, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._bounds = bounds
        self._head_bytes = 0
        self._slow: asyncio.TimerHandle | None = None
        self._lingering: asyncio.TimerHandle | None = None
        # Who the client is, when something in front of the server knows it better than the socket.
        self.subject = ""
        self.peer: dict[str, object] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._held: bytearray | None = None
        self._request_left = 0
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        super().connection_made(transport)
        try:
            self.peer = peer_of(transport.get_extra_info("socket"), self.subject)
        except OSError:
            # Gone before it was looked at.
            self.peer = {}
        self._bounds.admit(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End; whoever waits for `lost` is told."""
        if not self.lost.done():
            self.lost.set_result(None)
        self._settle()
        self._bounds.leave(self)
        self._head_is_complete()
        super().connection_lost(exc)

    def cut(self) -> None:
        """End the connection at once."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    def begin(self) -> None:
        """A request is being answered."""
        self._settle()
        self._bounds.begin(self)
        self._head_is_complete()

    def end(self, *, is_read: bool) -> None:
        """It is answered. What is left of its body belongs to no other request: the server reads it for a moment."""
        if is_read or self.lost.done():
            self._bounds.end(self, is_lost=self.lost.done())
        else:
            self._lingering = asyncio.get_running_loop().call_later(_LINGER_S, self._settle)

    def _settle(self) -> None:
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
            self._bounds.end(self, is_lost=self.lost.done())

    def _head_is_complete(self) -> None:
        self._head_bytes = 0
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _count_head(self, size: int) -> bool:
        """Count what comes before a request; False when it is more than any head."""
        if not self._bounds.is_waiting(self):
            return True
        self._head_bytes += size
        if self._slow is None:
            self._slow = asyncio.get_running_loop().call_later(HEAD_TIMEOUT_S, self.cut)
        return self._head_bytes <= HEAD_LIMIT_BYTES

    def log_exception(self, *args: Any, **_details: Any) -> None:
        """Log that a request was none, and not with what words: there are credentials in heads."""
        event(_log, logging.INFO, "malformed request", **self.peer)

    def data_received(self, data: bytes) -> None:
        """Pass requests to the parser, and keep what follows an upgrade request."""
        if not self._count_head(len(data)):
            self.cut()
            return
        if self._held is None:
            size = upgrade_request_size(data)
            if size is None:
                super().data_received(data)
                return
            self._held = bytearray()
            self._request_left = size
        request, rest = data[: self._request_left], data[self._request_left :]
        self._request_left -= len(request)
        self._held += rest
        if len(self._held) > _HELD_LIMIT_BYTES and isinstance(self.transport, asyncio.Transport):
            self.transport.pause_reading()
        if request:
            super().data_received(request)

    def refuse_upgrade(self) -> None:
        """The request was answered by plain HTTP: what was kept is the next request."""
        held, self._held = self._held, None
        if held is not None and isinstance(self.transport, asyncio.Transport):
            self.transport.resume_reading()
            if held:
                self.data_received(bytes(held))

    def take_over(self) -> TakenOver:
        """Detach the connection from the HTTP server.

        Raises:
            Cancelled: the client has gone.
        """
        transport = self.transport
        if not isinstance(transport, asyncio.Transport) or transport.is_closing():
            raise Cancelled("the client went away")
        transport.pause_reading()
        sock: socket.socket = transport.get_extra_info("socket")
        taken = TakenOver(os.dup(sock.fileno()), bytes(self._held or b""))
        self._held = None
        # Closes the server's descriptor and not the connection: ours is a duplicate.
        transport.abort()
        return taken


class Handed(web.StreamResponse):
    """The answer to a request whose connection was taken over: there is nothing left for the server to send."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Send nothing."""
        return

    async def write_eof(self, data: bytes = b"") -> None:
        """Send nothing."""
        return


async def send_head(taken: TakenOver, status: str, headers: Mapping[str, str]) -> None:
    """Send a response's head on a connection that was taken over.

    Raises:
        Cancelled: the client went away, or does not read.
    """
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    with socket.socket(fileno=os.dup(taken.fd)) as sock:
        sock.setblocking(False)
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(sock, data), _SEND_TIMEOUT_S)
        except (OSError, TimeoutError) as error:
            raise Cancelled("the client went away") from error
