"""One HTTP/1.1 connection over a bare socket: requests, streamed answers, hijacked streams."""

from __future__ import annotations

from _socket import MSG_DONTWAIT, MSG_PEEK

from windlass.client.errors import ProtocolError
from windlass.client.wire import MAX_HEAD_BYTES, ChunkedDecoder, Head, parse_head, request_head

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Iterable, Iterator

    from windlass.client.endpoint import Endpoint
    from windlass.client.tls import TlsStream

READ_BYTES = 256 * 1024
_NO_BODY = (204, 304)


class Answer:
    """A head that has arrived and a body that is still on the wire."""

    __slots__ = ("_connection", "_without_body", "head")

    def __init__(self, connection: Connection, head: Head, without_body: bool) -> None:
        self.head = head
        self._connection = connection
        self._without_body = without_body or head.status in _NO_BODY or head.status < 200

    @property
    def status(self) -> int:
        """The HTTP status code."""
        return self.head.status

    def chunks(self) -> Iterator[bytes]:
        """Yield the body piece by piece, as it arrives; raises ProtocolError when the peer breaks off."""
        if self._without_body:
            return
        if self.head.is_chunked:
            yield from self._connection.read_chunked()
        elif "content-length" in self.head.headers:
            yield from self._connection.read_counted(int(self.head.headers["content-length"]))
        else:
            yield from self._connection.read_to_end()

    def read(self) -> bytes:
        """Return the whole body."""
        return b"".join(self.chunks())

    def lines(self) -> Iterator[bytes]:
        """Yield the body split at newlines, without them; empty lines are left out."""
        pending = b""
        for chunk in self.chunks():
            *whole, pending = (pending + chunk).split(b"\n")
            for line in whole:
                if line.strip():
                    yield line
        if pending.strip():
            yield pending


class Connection:
    """A connection to one endpoint; it carries one request at a time."""

    __slots__ = ("_buffer", "endpoint", "reusable", "socket")

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.socket: _socket.socket | TlsStream = endpoint.connect()
        self.reusable = True
        self._buffer = b""

    def close(self) -> None:
        """Close the socket; harmless when repeated."""
        self.socket.close()

    def is_alive(self) -> bool:
        """Tell whether an idle connection may be used again: the peer has neither closed it nor sent anything."""
        try:
            self.socket.recv(1, MSG_PEEK | MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except (OSError, ValueError):  # closed, or under TLS, where nobody can look ahead
            pass
        self.close()
        return False

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes | Iterable[bytes] | None) -> None:
        """Send one request. An iterable body goes in chunks; raises OSError when the peer is gone."""
        headers = {"Host": self.endpoint.host_header, "User-Agent": "windlass", **headers}
        if body is None:
            if method not in ("GET", "HEAD"):
                headers["Content-Length"] = "0"
            self.socket.sendall(request_head(method, target, headers))
        elif isinstance(body, bytes):
            headers["Content-Length"] = str(len(body))
            self.socket.sendall(request_head(method, target, headers) + body)
        else:
            headers["Transfer-Encoding"] = "chunked"
            self.socket.sendall(request_head(method, target, headers))
            for piece in body:
                if piece:
                    self.socket.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.socket.sendall(b"0\r\n\r\n")

    def receive(self, method: str) -> Answer:
        """Return the next answer once its head is here; raises ProtocolError."""
        while True:
            end = self._buffer.find(b"\r\n\r\n")
            if end >= 0:
                head = parse_head(self._buffer[:end])
                self._buffer = self._buffer[end + 4 :]
                if head.status == 100:
                    continue
                self.reusable = head.headers.get("connection", "").lower() != "close"
                return Answer(self, head, method == "HEAD")
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise ProtocolError("endless header")
            self._buffer += self._recv() or self._broken()

    def take_leftover(self) -> bytes:
        """Return, once, the bytes read past the head: on a hijacked connection the first of the stream."""
        leftover, self._buffer = self._buffer, b""
        self.reusable = False
        return leftover

    def read_counted(self, size_bytes: int) -> Iterator[bytes]:
        """Yield exactly `size_bytes` of body."""
        left = size_bytes
        while left:
            data = self._buffer or self._recv() or self._broken()
            piece, self._buffer = data[:left], data[left:]
            left -= len(piece)
            yield piece

    def read_chunked(self) -> Iterator[bytes]:
        """Yield the payload of a chunked body as it arrives."""
        decoder = ChunkedDecoder()
        while not decoder.done:
            data = self._buffer or self._recv() or self._broken()
            self._buffer = b""
            yield from decoder.feed(data)
        self._buffer = decoder.rest

    def read_to_end(self) -> Iterator[bytes]:
        """Yield everything until the peer closes."""
        self.reusable = False
        data = self.take_leftover() or self._recv()
        while data:
            yield data
            data = self._recv()

    def _recv(self) -> bytes:
        try:
            return self.socket.recv(READ_BYTES)
        except ConnectionError as error:
            raise ProtocolError(f"connection lost: {error}") from None

    def _broken(self) -> bytes:
        self.reusable = False
        raise ProtocolError("unexpected EOF")
