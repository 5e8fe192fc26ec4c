"""HTTP/1.1 as pure functions and small decoders: bytes in, values out, no socket.

Source: RFC 9112.
"""

from __future__ import annotations

from windlass.client.errors import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_HEAD_BYTES = 256 * 1024
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_HEADER_ENDS = frozenset("\r\n")


def quote(text: str, safe: str = "") -> str:
    """Percent-encode everything but unreserved characters and those in `safe`.

    Source: RFC 3986 section 2.
    """
    kept = _UNRESERVED | frozenset(safe.encode())
    return "".join(chr(byte) if byte in kept else f"%{byte:02X}" for byte in text.encode("utf-8", "surrogateescape"))


def query_string(pairs: Mapping[str, str | list[str]]) -> str:
    """Return `?a=b&c=d`, or nothing for an empty dict; a list repeats its name."""
    words = [
        f"{quote(name)}={quote(item)}"
        for name, value in pairs.items()
        for item in ([value] if isinstance(value, str) else value)
    ]
    return "?" + "&".join(words) if words else ""


def request_head(method: str, target: str, headers: dict[str, str]) -> bytes:
    """Return the bytes of a request up to its body; raises ValueError for a header that would end early."""
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in headers.items():
        if _HEADER_ENDS.intersection(value):
            raise ValueError(f"line break in header {name}")
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


class Head:
    """Status line and headers of an answer; header names are in lower case, a repeated one keeps its last value."""

    __slots__ = ("headers", "reason", "status")

    def __init__(self, status: int, reason: str, headers: dict[str, str]) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers

    @property
    def is_chunked(self) -> bool:
        """Tell whether the body comes in chunks."""
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def content_type(self) -> str:
        """The media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def parse_head(raw: bytes) -> Head:
    """Parse a head without its closing blank line; raises ProtocolError."""
    first, *lines = raw.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    code, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/1.") or len(code) != 3 or not code.isdecimal():
        raise ProtocolError(f"not an HTTP answer: {first[:80]!r}")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Head(int(code), reason, headers)


class ChunkedDecoder:
    """Takes the chunked coding off a stream, fed in pieces of any size.

    Source: RFC 9112 section 7.1.
    """

    __slots__ = ("_left", "_line", "_state", "done", "rest")

    def __init__(self) -> None:
        self.done = False
        self.rest = b""
        self._line = b""
        self._left = 0
        self._state = "size"

    def feed(self, data: bytes) -> list[bytes]:
        """Return the payload pieces in `data`; once `done`, bytes after the body are in `rest`."""
        pieces: list[bytes] = []
        position = 0
        while position < len(data) and not self.done:
            if self._state == "payload":
                piece = data[position : position + self._left]
                pieces.append(piece)
                position += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._state = "end"
                continue
            newline = data.find(b"\n", position)
            if newline < 0:
                self._line += data[position:]
                if len(self._line) > MAX_HEAD_BYTES:
                    raise ProtocolError("endless chunk header")
                return pieces
            line = (self._line + data[position:newline]).rstrip(b"\r")
            self._line = b""
            position = newline + 1
            self._take_line(line)
        if self.done:
            self.rest = data[position:]
        return pieces

    def _take_line(self, line: bytes) -> None:
        if self._state == "end":
            self._state = "size"
        elif self._state == "size":
            try:
                self._left = int(line.partition(b";")[0], 16)
            except ValueError:
                raise ProtocolError(f"bad chunk size: {line[:40]!r}") from None
            self._state = "payload" if self._left else "trailer"
        elif not line:
            self.done = True
