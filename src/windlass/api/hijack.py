"""Taking a client's connection over from the HTTP server, to hand it to a process that serves it.

The daemon answers `101 UPGRADED` (or, to clients that did not ask for an upgrade, a bare `200 OK`) and is out of the
byte path from then on: the descriptor, with what was already read from it, goes to the container's supervisor.

Source: Engine API, ContainerAttach, "Hijacking".
"""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from windlass.base.errors import Unavailable

_MAX_HEAD = 64 * 1024
_MAX_HELD = 256 * 1024
_UPGRADE_TCP = re.compile(rb"\nupgrade:[ \t]*tcp[ \t]*\r\n", re.IGNORECASE)
_CONTENT_LENGTH = re.compile(rb"\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\ntransfer-encoding:", re.IGNORECASE)

_UPGRADED = (
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: {content_type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
    "Api-Version: {version}\r\nServer: {server}\r\n\r\n"
)
_PLAIN = "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nConnection: close\r\nServer: {server}\r\n\r\n"


@dataclass(slots=True)
class Hijacked:
    """A connection that is ours: its descriptor, and what the client had already sent after its request."""

    fd: int
    leftover: bytes

    def take(self) -> int:
        """Give the descriptor away."""
        fd, self.fd = self.fd, -1
        return fd

    def write(self, data: bytes) -> None:
        """Write a few bytes (an error text) as far as the connection takes them."""
        try:
            os.write(self.fd, data)
        except OSError:
            return

    def close(self) -> None:
        """Close what was not given away."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Hijacked:
        return self

    def __exit__(self, *_args: object) -> None:
        self.close()


def hijack(request: web.BaseRequest, content_type: str, version: str, server: str, *, upgrade: bool = True) -> Hijacked:
    """Answer the request's head and take its connection. The handler returns `Gone` afterwards.

    With `upgrade` false (a stream of output only) the head is always `200 OK` with `Connection: close`.

    Raises:
        Unavailable: the client has gone.
    """
    transport = request.transport
    if transport is None or transport.is_closing():
        raise Unavailable("client closed the connection")
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    asks = upgrade and "upgrade" in request.headers.get("Connection", "").lower()
    head = (_UPGRADED if asks else _PLAIN).format(content_type=content_type, version=version, server=server)
    # A descriptor of our own: the transport may close its own without the connection noticing.
    fd = os.dup(transport.get_extra_info("socket").fileno())
    try:
        _write_all(fd, head.encode("ascii"))
    except OSError:
        os.close(fd)
        raise Unavailable("client closed the connection") from None
    leftover = _already_read(request)
    transport.abort()
    return Hijacked(fd, leftover)


def _write_all(fd: int, data: bytes) -> None:
    """Write a response's head: it fits any socket buffer, and nothing was written before it."""
    if os.write(fd, data) != len(data):
        raise BrokenPipeError("head not taken whole")


def _already_read(request: web.BaseRequest) -> bytes:
    """Collect what was read beyond the request: of its body stream, or held back after an upgrade request."""
    parts: list[bytes] = []
    if not request.content.is_eof():
        parts.append(request.content.read_nowait())
    protocol = request.protocol
    if isinstance(protocol, UpgradeProtocol):
        parts.append(protocol.take_held())
    return b"".join(parts)


class UpgradeProtocol(RequestHandler):
    """aiohttp's connection, except that what follows an upgrade request is kept and not parsed.

    aiohttp knows no upgrade but websocket: bytes that come right behind a `Upgrade: tcp` request would be lost, and
    later ones taken for the next request. Such a connection serves no request after that one.
    """

    __slots__ = ("_head", "_held")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = b""
        self._held: bytes | None = None

    def data_received(self, data: bytes) -> None:
        """Feed the parser, up to the end of an upgrade request."""
        if self._held is not None:
            self._held += data
            if len(self._held) > _MAX_HELD and self.transport is not None:
                self.transport.pause_reading()
            return
        if self._head or _UPGRADE_TCP.search(data[:_MAX_HEAD]):
            data = self._split(self._head + data)
        if data:
            super().data_received(data)

    def _split(self, data: bytes) -> bytes:
        """Return the whole upgrade request and hold what follows; nothing while it is incomplete."""
        head_end = data.find(b"\r\n\r\n") + 4
        match = _CONTENT_LENGTH.search(data[:head_end])
        length = head_end + (int(match[1]) if match else 0)
        if head_end < 4 or _CHUNKED.search(data[:head_end]) or length > _MAX_HEAD:
            # Too odd to be split; the parser takes it as it is.
            incomplete = head_end < 4 and len(data) < _MAX_HEAD
            self._head = data if incomplete else b""
            return b"" if incomplete else data
        if len(data) < length:
            self._head = data
            return b""
        self._head = b""
        self._held = data[length:]
        return data[:length]

    @property
    def upgrading(self) -> bool:
        """Whether the request being served asks for an upgrade: the connection ends with it either way."""
        return self._held is not None

    def take_held(self) -> bytes:
        """Return what was held back."""
        held, self._held = self._held or b"", b""
        return held


class UpgradeServer(web.Server):
    """`aiohttp.web.Server` whose connections are `UpgradeProtocol`."""

    def __call__(self) -> RequestHandler:
        """Make the protocol of a new connection."""
        return UpgradeProtocol(self, loop=self._loop, **self._kwargs)


class Gone(web.Response):
    """What a handler returns after a hijack: nothing is sent, the transport is closed already."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Send nothing."""
        self._eof_sent = True

    async def write_eof(self, data: bytes = b"") -> None:
        """Send nothing."""
