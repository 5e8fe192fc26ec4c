"""The engine's framing of stdout and stderr on one stream.

Source: Engine API, ContainerAttach, "Stream format".
"""

from __future__ import annotations

from windlass.client.errors import ClientError

HEADER_BYTES = 8
STDIN, STDOUT, STDERR, SYSTEM_ERROR = range(4)


class StreamError(ClientError):
    """The engine reported, inside the stream, why the stream broke."""


class FrameSplitter:
    """Splits a framed stream, fed in pieces of any size, into (stream number, payload piece) pairs without copying."""

    __slots__ = ("_header", "_left", "_stream", "_system_error")

    def __init__(self) -> None:
        self._header = b""
        self._left = 0
        self._stream = STDOUT
        self._system_error = b""

    def feed(self, data: memoryview) -> list[tuple[int, memoryview]]:
        """Return the payload pieces in `data`, as views of it; neighbours of one frame stay in order.

        Raises StreamError when a frame of the engine's own error is complete, and for an unknown stream number.
        """
        pieces: list[tuple[int, memoryview]] = []
        position, size = 0, len(data)
        while position < size:
            if not self._left:
                position = self._read_header(data, position)
                continue
            end = min(position + self._left, size)
            self._left -= end - position
            if self._stream == SYSTEM_ERROR:
                self._collect_error(data[position:end])
            else:
                pieces.append((self._stream, data[position:end]))
            position = end
        return pieces

    def _read_header(self, data: memoryview, position: int) -> int:
        end = position + HEADER_BYTES - len(self._header)
        self._header += bytes(data[position:end])
        if len(self._header) == HEADER_BYTES:
            self._stream = self._header[0] or STDOUT
            self._left = int.from_bytes(self._header[4:], "big")
            if self._stream > SYSTEM_ERROR:
                raise StreamError(f"Unrecognized input header: {self._header[0]}")
            self._header = b""
        return min(end, len(data))

    def _collect_error(self, piece: memoryview) -> None:
        self._system_error += bytes(piece)
        if not self._left:
            text = self._system_error.decode("utf-8", "replace").strip()
            raise StreamError(f"error from daemon in stream: {text}")
