"""Walks the frames of a zstd stream as it passes, to know whether it ended where a frame ends.

The decoder's binding reports a cut stream as a complete one. Source: RFC 8878, sections 3.1.1 and 3.1.2.
"""

from __future__ import annotations

from windlass.archive.source import Readable

_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE_SUFFIX = b"\x2a\x4d\x18"
_MAGIC_BYTES = 4
_SKIPPABLE_HEADER_BYTES = 8
_BLOCK_HEADER_BYTES = 3
_CHECKSUM_BYTES = 4
_BLOCK_RLE = 1
_DICTIONARY_ID_BYTES = (0, 1, 2, 4)
_CONTENT_SIZE_BYTES = (0, 2, 4, 8)


class FrameWalk:
    """A stream of zstd frames read through. `complete` tells whether what has been read ends at the end of a frame.

    Malformed bytes end the walk, not the stream: they are the decoder's to report.
    """

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._skip = 0
        self._header = b""
        self._in_frame = False
        self._checksum = False
        self._lost = False

    @property
    def complete(self) -> bool:
        """Whether no frame is open."""
        return self._lost or not (self._in_frame or self._skip or self._header)

    def read(self, size: int, /) -> bytes:
        """Return what the stream gives for `size`."""
        data = self._stream.read(size)
        if not self._lost:
            self._walk(data)
        return data

    def _walk(self, data: bytes) -> None:
        position = 0
        while position < len(data) and not self._lost:
            if self._skip:
                step = min(self._skip, len(data) - position)
                self._skip -= step
                position += step
                continue
            wanted = self._wanted() - len(self._header)
            self._header += data[position : position + wanted]
            position += wanted
            if len(self._header) == self._wanted():
                self._accept()

    def _wanted(self) -> int:
        """Bytes of header that have to be seen before the next decision."""
        if self._in_frame:
            return _BLOCK_HEADER_BYTES
        header = self._header
        if len(header) < _MAGIC_BYTES:
            return _MAGIC_BYTES
        return _SKIPPABLE_HEADER_BYTES if header[1:4] == _SKIPPABLE_SUFFIX else _MAGIC_BYTES + 1

    def _accept(self) -> None:
        header, self._header = self._header, b""
        if self._in_frame:
            self._enter_block(int.from_bytes(header, "little"))
        elif header[1:4] == _SKIPPABLE_SUFFIX:
            self._skip = int.from_bytes(header[4:], "little")
        elif header.startswith(_MAGIC):
            self._enter_frame(header[4])
        else:
            self._lost = True

    def _enter_frame(self, descriptor: int) -> None:
        single_segment = descriptor >> 5 & 1
        content_size = _CONTENT_SIZE_BYTES[descriptor >> 6] or single_segment
        self._skip = (1 - single_segment) + _DICTIONARY_ID_BYTES[descriptor & 3] + content_size
        self._checksum = bool(descriptor >> 2 & 1)
        self._in_frame = True

    def _enter_block(self, header: int) -> None:
        self._skip = 1 if header >> 1 & 3 == _BLOCK_RLE else header >> 3
        if header & 1:
            self._in_frame = False
            self._skip += _CHECKSUM_BYTES if self._checksum else 0
