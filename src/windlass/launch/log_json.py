"""Docker's json-file format: one JSON object a line, `{"log": ..., "stream": ..., "time": ...}`.

Lines are encoded by the block, not one by one: between two newlines of a block all records have the same surroundings,
so one replacement makes all of them. Text that needs escaping goes through the JSON encoder as a whole.

Source: moby daemon/logger/jsonfilelog.
"""

from __future__ import annotations

from json.encoder import encode_basestring as _quote

from windlass.base.clock import rfc3339_nano
from windlass.launch.log_lines import Partial
from windlass.launch.log_rotation import RotatingFile

_SMALLEST_PIECE = 1024
_WHOLE = 1 << 62
# Text without these bytes needs no escaping; bytes from 0x80 go the slow way, where UTF-8 is checked.
_PLAIN = bytes(byte for byte in range(0x20, 0x7F) if byte not in b'"\\') + b"\n"
# A private-use character stands for the newline while the JSON encoder runs over a whole block.
_SENTINEL = "\uf8ff"


def pieces(block: bytes, max_size: int) -> list[bytes]:
    """Cut a block at newlines, so that a file of `max_size` (0: unlimited) is not far exceeded by one write."""
    piece = max(_SMALLEST_PIECE, max_size // 16) if max_size else _WHOLE
    cut: list[bytes] = []
    start, end = 0, len(block)
    while end - start > piece:
        stop = (block.rfind(b"\n", start, start + piece) + 1) or (block.find(b"\n", start) + 1)
        cut.append(block[start:stop])
        start = stop
    if start < end:
        cut.append(block[start:])
    return cut


class JsonSink:
    """Writes records into a file; `attrs` are part of each."""

    busy = False

    def __init__(self, file: RotatingFile, max_size: int, attrs: dict[str, str]) -> None:
        self._file = file
        self._max_size = max_size
        text = "".join(f"{_quote(key)}:{_quote(value)}," for key, value in sorted(attrs.items()))
        self._attrs = f'"attrs":{{{text[:-1]}}},' if text else ""

    def lines(self, stream: str, block: bytes, time_ns: int) -> None:
        """Write complete lines."""
        for piece in pieces(block, self._max_size):
            self._file.append(self._encode(stream, piece[:-1], time_ns, newline=True))

    def part(self, stream: str, data: bytes, time_ns: int, partial: Partial) -> None:
        """Write a part of a line: a record without a newline, unless it is the last."""
        self._file.append(self._encode(stream, data, time_ns, newline=partial.last))

    def _encode(self, stream: str, body: bytes, time_ns: int, *, newline: bool) -> bytes:
        head = '{"log":"'
        foot = f'","stream":"{stream}",{self._attrs}"time":"{rfc3339_nano(time_ns)}"}}\n'
        between = "\\n" + foot + head
        last = ("\\n" if newline else "") + foot
        if not body.translate(None, _PLAIN):
            middle = body.replace(b"\n", between.encode())
            return b"".join((head.encode(), middle, last.encode()))
        text = body.decode("utf-8", "replace")
        if _SENTINEL in text:
            rows = text.split("\n")
            return "".join(head + _quote(row)[1:-1] + ("\\n" if newline else "") + foot for row in rows).encode()
        quoted = _quote(text.replace("\n", _SENTINEL))[1:-1].replace(_SENTINEL, between)
        return (head + quoted + last).encode("utf-8", "replace")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
