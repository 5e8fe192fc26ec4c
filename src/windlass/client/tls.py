"""TLS towards an engine on TCP; imported only when asked for.

A hijacked stream is read by one thread and written by another, and its end is announced while the other direction
goes on. `ssl.SSLSocket` can do neither, so the protocol is driven here over two memory buffers.
"""

from __future__ import annotations

import _socket
import ssl
import threading

from windlass.client.errors import ClientError

READ_BYTES = 64 * 1024
SHUT_WR = _socket.SHUT_WR


class TlsFiles:
    """Paths of PEM files and whether to verify the peer; a missing path is the empty string."""

    __slots__ = ("ca", "cert", "key", "verify")

    def __init__(self, ca: str, cert: str, key: str, verify: bool) -> None:
        self.ca = ca
        self.cert = cert
        self.key = key
        self.verify = verify


def wrap(connection: _socket.socket, host: str, files: TlsFiles) -> TlsStream:
    """Return `connection` under TLS 1.2 or later; raises ClientError when the handshake fails.

    Source: https://docs.docker.com/engine/security/protect-access/
    """
    try:
        return TlsStream(connection, _context(files), host)
    except OSError as error:
        connection.close()
        raise ClientError(f"TLS with {host} failed: {error}") from None


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = files.verify
    context.verify_mode = ssl.CERT_REQUIRED if files.verify else ssl.CERT_NONE
    if files.verify and files.ca:
        context.load_verify_locations(files.ca)
    elif files.verify:
        context.load_default_certs()
    if files.cert:
        context.load_cert_chain(files.cert, files.key or None)
    return context


class TlsStream:
    """A connection under TLS with the methods of a socket that the client uses, each safe beside the others."""

    def __init__(self, connection: _socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._lock = threading.Lock()
        self._shake_hands()

    def _shake_hands(self) -> None:
        while True:
            try:
                self._session.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            else:
                self._flush()
                return

    def _flush(self) -> None:
        data = self._outgoing.read()
        if data:
            self._connection.sendall(data)

    def _fill(self) -> None:
        data = self._connection.recv(READ_BYTES)
        with self._lock:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Send every byte; raises OSError."""
        with self._lock:
            view = memoryview(data)
            while view:
                view = view[self._session.write(view) :]
                self._flush()

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return up to `size` bytes, none at the end; raises OSError. There are no flags: any is a ValueError."""
        if flags:
            raise ValueError("no flags under TLS")
        while True:
            try:
                with self._lock:
                    data = self._session.read(size)
                    self._flush()
                return data
            except ssl.SSLWantReadError:
                self._fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    def recv_into(self, buffer: memoryview) -> int:
        """Fill a part of `buffer` and return its size, 0 at the end; raises OSError."""
        data = self.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def shutdown(self, how: int) -> None:
        """Announce the end of what we send; with anything but SHUT_WR the connection ends as a whole."""
        with self._lock:
            try:
                self._session.unwrap()
            except ssl.SSLError:
                pass  # it wants the peer's own announcement, which comes when the peer is done
            self._flush()
        if how != SHUT_WR:
            self._connection.shutdown(how)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
