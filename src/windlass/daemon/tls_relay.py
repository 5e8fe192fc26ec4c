"""TLS in front of the API: each connection is decrypted here and goes on through a socket pair.

    client ══TLS══> [relay: SSLObject, one buffer each way] ──socket pair──> API server, or who took the connection over

Behind the pair everything is as on a unix socket: a connection can be given to a supervisor or a worker, and each
direction ends for itself (close_notify <-> SHUT_WR), which asyncio's own TLS cannot do. Each direction holds one
buffer and waits for its reader, so a client that does not read stops whoever writes to it and nobody else.

Source: RFC 8446, 6.1 (a close_notify ends one direction only).
"""

from __future__ import annotations

import asyncio
import logging
import select
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress

from windlass.base import logging as log
from windlass.base.nursery import Nursery

_CHUNK_BYTES = 64 * 1024
_HANDSHAKE_TIMEOUT_S = 10.0
# Strangers who have not shown a certificate yet; the oldest makes room for the next.
_HANDSHAKES = 256
# How long a client may take to read the last bytes and close.
_LINGER_S = 10.0
_RETRY_ACCEPT_S = 0.2
_log = logging.getLogger(__name__)

Welcome = Callable[[socket.socket, str], Coroutine[None, None, None]]


class TlsListener:
    """Accepts on one listening socket until it is closed.

    `welcome` gets the near end of each connection whose handshake is done, and who the client is: the subject of its
    certificate, and its address.
    """

    def __init__(self, listener: socket.socket, context: ssl.SSLContext, welcome: Welcome) -> None:
        self._listener = listener
        self._context = context
        self._welcome = welcome
        self._handshakes: dict[socket.socket, None] = {}
        self._accepting, self._relays = Nursery(), Nursery()

    def start(self) -> None:
        """Begin to accept."""
        self._listener.setblocking(False)
        self._accepting.start(self._accept(), "tls-accept")

    async def stop_accepting(self) -> None:
        """Close the listening socket."""
        await self._accepting.close()
        self._listener.close()

    async def close(self) -> None:
        """Close everything."""
        await self.stop_accepting()
        await self._relays.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, address = await loop.sock_accept(self._listener)
            except OSError as error:
                # No descriptor left, or a client that went away in the queue.
                log.event(_log, logging.WARNING, "cannot accept a connection", error=error)
                await asyncio.sleep(_RETRY_ACCEPT_S)
                continue
            if len(self._handshakes) >= _HANDSHAKES:
                self._cut_oldest()
            self._handshakes[client] = None
            self._relays.start(self._serve(client, f"{address[0]}:{address[1]}"), "tls")

    def _cut_oldest(self) -> None:
        oldest = next(iter(self._handshakes))
        del self._handshakes[oldest]
        # Whoever waits for it reads its end.
        with suppress(OSError):
            oldest.shutdown(socket.SHUT_RDWR)

    async def _serve(self, client: socket.socket, address: str) -> None:
        with client:
            client.setblocking(False)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            relay = TlsRelay(client, self._context)
            try:
                async with asyncio.timeout(_HANDSHAKE_TIMEOUT_S):
                    await relay.shake_hands()
            except (OSError, TimeoutError) as error:
                reason = error.reason if isinstance(error, ssl.SSLError) and error.reason else error
                log.event(_log, logging.INFO, "TLS handshake failed", client=address, error=str(reason) or "too slow")
                return
            finally:
                self._handshakes.pop(client, None)
            ours, theirs = socket.socketpair()
            with ours:
                ours.setblocking(False)
                theirs.setblocking(False)
                await self._welcome(theirs, f"{relay.subject} {address}".strip())
                await relay.run(ours)


class TlsRelay:
    """One client's TLS, over a socket that does not block."""

    def __init__(self, client: socket.socket, context: ssl.SSLContext) -> None:
        self._client = client
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._sending = asyncio.Lock()
        self._said_goodbye = False

    @property
    def subject(self) -> str:
        """The subject of the client's certificate, `CN=name,O=organization`; empty without one."""
        names = (self._tls.getpeercert() or {}).get("subject", ())
        short = {"commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU"}
        pairs = [(str(item[0]), str(item[1])) for part in names for item in part]
        return ",".join(f"{short[key]}={value}" for key, value in pairs if key in short)

    async def shake_hands(self) -> None:
        """Do the handshake.

        Raises:
            OSError: the client was refused, or is none (`ssl.SSLError`).
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
                continue
            except ssl.SSLError:
                # The alert says why; what cannot be sent need not be.
                await self._flush()
                raise
            await self._flush()
            return

    async def run(self, inner: socket.socket) -> None:
        """Carry bytes between the client and `inner` until both have ended, or one is lost."""
        inward = asyncio.ensure_future(self._inward(inner))
        outward = asyncio.ensure_future(self._outward(inner))
        try:
            await asyncio.wait((inward, outward), return_when=asyncio.FIRST_COMPLETED)
            if not inward.done() and outward.exception() is None:
                # When nobody is left to read what the client sends, it has a moment to read the end and to close.
                await asyncio.wait((inward,), timeout=_LINGER_S if _is_closed(inner) else None)
            elif inward.done() and inward.exception() is None:
                await asyncio.wait((outward,))
        finally:
            for task in (inward, outward):
                task.cancel()
            # A connection that is lost is an ordinary end.
            for end in await asyncio.gather(inward, outward, return_exceptions=True):
                if isinstance(end, Exception) and not isinstance(end, OSError):
                    log.event(_log, logging.ERROR, "TLS relay failed", error=repr(end))

    async def _inward(self, inner: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while data := await self._read():
            try:
                await loop.sock_sendall(inner, data)
            except BrokenPipeError:
                if self._said_goodbye:
                    raise
                # Nobody reads it; what there is for the client is still on its way.
                continue
        inner.shutdown(socket.SHUT_WR)

    async def _outward(self, inner: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(inner, _CHUNK_BYTES):
            self._tls.write(data)
            await self._flush()
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            # Our close_notify is written; the client's may come when it likes.
            pass
        await self._flush()
        self._said_goodbye = True
        self._client.shutdown(socket.SHUT_WR)

    async def _read(self) -> bytes:
        """Return what the client says next; empty when it has said goodbye.

        Raises:
            OSError: the connection was cut, or carries something else.
        """
        while True:
            try:
                return self._tls.read(_CHUNK_BYTES)
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLWantReadError:
                # Reading may have to answer (a change of keys); whoever sends already sends that too, and a client
                # that does not read may go on writing.
                if not self._sending.locked():
                    await self._flush()
                await self._fill()

    async def _fill(self) -> None:
        data = await asyncio.get_running_loop().sock_recv(self._client, _CHUNK_BYTES)
        if not data:
            # Without a close_notify it may have been cut by anybody.
            raise ConnectionResetError("the connection was cut")
        self._incoming.write(data)

    async def _flush(self) -> None:
        async with self._sending:
            while data := self._outgoing.read(_CHUNK_BYTES):
                await asyncio.get_running_loop().sock_sendall(self._client, data)


def _is_closed(inner: socket.socket) -> bool:
    """Tell whether the other end is closed, and not only its sending side."""
    poll = select.poll()
    poll.register(inner.fileno(), select.POLLIN)
    return any(event & select.POLLHUP for _, event in poll.poll(0))
