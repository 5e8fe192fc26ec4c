"""Calls to the Engine API: versioned paths, JSON both ways, errors by kind."""

from __future__ import annotations

from windlass.client.errors import ApiError, ClientError, ProtocolError
from windlass.client.http import Answer, Connection
from windlass.client.json_text import dumps, loads
from windlass.client.wire import query_string

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Iterable, Mapping

    from windlass.client.endpoint import Endpoint
    from windlass.client.tls import TlsStream

    Query = Mapping[str, str | list[str]]

API_VERSION = "1.50"
_TOO_NEW = "Maximum supported API version is "
_STREAM_TYPES = {
    "application/vnd.docker.raw-stream": False,
    "application/vnd.docker.multiplexed-stream": True,
}


class Hijacked:
    """A connection turned into a raw duplex stream; `leftover` are its first bytes.

    `framed` tells whether stdout and stderr are multiplexed, or None when the engine did not say.
    """

    __slots__ = ("framed", "leftover", "socket")

    def __init__(self, connection: Connection, answer: Answer) -> None:
        self.socket: _socket.socket | TlsStream = connection.socket
        self.leftover = connection.take_leftover()
        self.framed = _STREAM_TYPES.get(answer.head.content_type)


class Engine:
    """One engine as its API shows it. Connections are opened when first needed, and one idle one is kept."""

    def __init__(self, endpoint: Endpoint, version: str = "") -> None:
        self.endpoint = endpoint
        self.version = version or API_VERSION
        self._pinned = bool(version)
        self._negotiated = bool(version)
        self._idle: Connection | None = None

    def call(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> object:
        """Make one request and return its parsed JSON answer, None when it has no body.

        Raises ApiError for a status of 400 or more, CannotConnect, ProtocolError.
        """
        raw = self.call_raw(method, path, query, body, headers)
        return loads(raw) if raw.strip() else None

    def call_raw(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        """Make one request and return the answer's body as it came."""
        connection, answer = self._exchange(method, path, query, _encode(body), _headers(body, headers))
        raw = answer.read()
        self._release(connection)
        return raw

    def stream(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: object = None,
        headers: dict[str, str] | None = None,
        upload: Iterable[bytes] | None = None,
    ) -> Answer:
        """Make one request and return the answer with its body still to be read, on a connection of its own.

        `upload` is a body sent in chunks; the API version is settled first, as it cannot be sent twice.
        """
        if upload is not None:
            self.negotiate()
        content = upload if upload is not None else _encode(body)
        return self._exchange(method, path, query, content, _headers(body, headers))[1]

    def hijack(self, path: str, query: Query | None = None, body: object = None) -> Hijacked:
        """POST and take the connection over as a raw stream.

        Source: Engine API, ContainerAttach, "Hijacking".
        """
        headers = {**_headers(body, None), "Connection": "Upgrade", "Upgrade": "tcp"}
        connection, answer = self._exchange("POST", path, query, _encode(body), headers)
        if answer.status not in (101, 200):
            raise ProtocolError(f"unable to upgrade to tcp, received {answer.status}")
        return Hijacked(connection, answer)

    def negotiate(self) -> None:
        """Settle the API version once: ours, or the engine's newest where that is older."""
        if self._negotiated:
            return
        answer = self._attempt("HEAD", "/_ping", None, {})[1]
        offered = answer.head.headers.get("api-version", "")
        self._negotiated = True
        if offered:
            self._lower_to(offered)

    def _lower_to(self, offered: str) -> None:
        if version_tuple(offered) < version_tuple(self.version):
            self.version = offered

    def _exchange(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: bytes | Iterable[bytes] | None,
        headers: dict[str, str],
    ) -> tuple[Connection, Answer]:
        if method == "HEAD":
            self.negotiate()  # its answer has no body that could say which versions are known
        suffix = path + query_string(query or {})
        connection, answer = self._attempt(method, f"/v{self.version}{suffix}", body, headers)
        if answer.status < 400:
            return connection, answer
        message = _message(answer)
        # An engine older than us says so once; asking it beforehand would cost every command a round trip.
        if (
            answer.status == 400
            and _TOO_NEW in message
            and not self._pinned
            and (body is None or isinstance(body, bytes))
        ):
            self._lower_to(message.partition(_TOO_NEW)[2].split(",")[0].strip())
            connection, answer = self._attempt(method, f"/v{self.version}{suffix}", body, headers)
            if answer.status < 400:
                return connection, answer
            message = _message(answer)
        self._release(connection)
        raise ApiError(answer.status, message)

    def _attempt(
        self, method: str, target: str, body: bytes | Iterable[bytes] | None, headers: dict[str, str]
    ) -> tuple[Connection, Answer]:
        connection, self._idle = self._idle, None
        if connection is None or not connection.is_alive():
            connection = Connection(self.endpoint)
        early: OSError | None = None
        try:
            connection.send(method, target, headers, body)
        except (BrokenPipeError, ConnectionResetError) as error:
            early = error  # refused before the whole body was read: the answer says why
        try:
            return connection, connection.receive(method)
        except OSError as error:
            raise ProtocolError(f"error during connect: {early or error}") from None

    def _release(self, connection: Connection) -> None:
        if connection.reusable and self._idle is None:
            self._idle = connection
        else:
            connection.close()


def version_tuple(text: str) -> tuple[int, ...]:
    """Return `1.41` as (1, 41); raises ClientError for anything else."""
    try:
        return tuple(int(part) for part in text.split("."))
    except ValueError:
        raise ClientError(f"invalid API version: {text!r}") from None


def _headers(body: object, headers: dict[str, str] | None) -> dict[str, str]:
    if body is None:
        return headers or {}
    return {"Content-Type": "application/json", **(headers or {})}


def _encode(body: object) -> bytes | None:
    return None if body is None else dumps(body).encode("utf-8", "surrogateescape")


def _message(answer: Answer) -> str:
    raw = answer.read()
    try:
        parsed = loads(raw)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict) and isinstance(parsed.get("message"), str):
        return str(parsed["message"]).strip()
    text = raw.decode("utf-8", "replace").strip()
    return (
        text or f"request returned {answer.status} {answer.head.reason} for API route, check if the server supports it"
    )
