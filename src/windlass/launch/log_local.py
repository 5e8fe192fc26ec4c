"""Docker's `local` format: records of bytes as they came, so that binary output survives.

A record is a protocol buffer between its length, big-endian, twice: source (1, string), time in nanoseconds (2, int64),
line (3, bytes), partial (4, bool), and of a partial line (5): last (1, bool), id (2, string), ordinal (3, int32).

Source: moby daemon/logger/local; api/types/plugins/logdriver/entry.proto.
"""

from __future__ import annotations

from windlass.launch.log_json import pieces
from windlass.launch.log_lines import Partial
from windlass.launch.log_rotation import RotatingFile

_SOURCE, _TIME, _LINE, _PARTIAL, _META = b"\x0a", b"\x10", b"\x1a", b"\x20\x01", b"\x2a"


def varint(value: int) -> bytes:
    """Encode an unsigned number seven bits at a time. Source: protobuf encoding, "Base 128 Varints"."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class LocalSink:
    """Writes records into a file."""

    busy = False

    def __init__(self, file: RotatingFile, max_size: int) -> None:
        self._file = file
        self._max_size = max_size

    def lines(self, stream: str, block: bytes, time_ns: int) -> None:
        """Write complete lines, without their newlines."""
        start = _SOURCE + varint(len(stream)) + stream.encode() + _TIME + varint(time_ns) + _LINE
        heads: dict[int, bytes] = {}
        feet: dict[int, bytes] = {}
        for piece in pieces(block, self._max_size):
            parts: list[bytes] = []
            for line in piece[:-1].split(b"\n"):
                length = len(line)
                head = heads.get(length)
                if head is None:
                    middle = start + varint(length)
                    feet[length] = size = (len(middle) + length).to_bytes(4, "big")
                    heads[length] = head = size + middle
                parts += (head, line, feet[length])
            self._file.append(b"".join(parts))

    def part(self, stream: str, data: bytes, time_ns: int, partial: Partial) -> None:
        """Write a part of a line."""
        meta = b"\x12" + varint(len(partial.id)) + partial.id.encode() + b"\x18" + varint(partial.ordinal)
        if partial.last:
            meta = b"\x08\x01" + meta
        body = b"".join(
            (
                _SOURCE + varint(len(stream)) + stream.encode(),
                _TIME + varint(time_ns),
                _LINE + varint(len(data)),
                data,
                _PARTIAL + _META + varint(len(meta)),
                meta,
            )
        )
        size = len(body).to_bytes(4, "big")
        self._file.append(size + body + size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
