"""Reading logs in the `local` format.

Source: `windlass.launch.log_local` for the records.
"""

from __future__ import annotations

import os

from windlass.base.clock import rfc3339_nano
from windlass.launch.log_records import BLOCK, Format, Runs, View

# No record of ours comes near to it: what claims to be larger is no record.
_MAX_RECORD = 1 << 20
# Where a line's own bytes end, a part says so and begins to tell about itself.
_META = b"\x20\x01\x2a"
_LAST = 0x08


class LocalFormat(Format):
    """Binary records between their lengths."""

    def complete(self, data: bytes) -> int:
        """Walk from length to length; what is no record spoils what follows it in the file."""
        position, end = 0, len(data)
        while end - position >= 4:
            size = int.from_bytes(data[position : position + 4], "big")
            if size > _MAX_RECORD or position + size + 8 > end:
                break
            position += size + 8
        return position

    def count(self, data: bytes) -> int:
        """Walk from length to length."""
        return len(_starts(data))

    def skip(self, data: bytes, number: int) -> tuple[bytes, int]:
        """Leave out records."""
        starts = _starts(data)
        if len(starts) <= number:
            return b"", number - len(starts)
        return data[starts[number] :], 0

    def seek_back(self, fd: int, records: int) -> int:
        """Walk back by the length after each record, reading blocks from the end."""
        position = os.lseek(fd, 0, os.SEEK_END)
        start, block = position, b""
        while records and position > 0:
            if position - start < 4:
                start = max(0, position - BLOCK)
                block = os.pread(fd, position - start, start)
            size = int.from_bytes(block[position - start - 4 : position - start], "big")
            if size > _MAX_RECORD or size + 8 > position:
                break
            position -= size + 8
            records -= 1
            if position < start:
                start = position
        os.lseek(fd, position, os.SEEK_SET)
        return records if position == 0 else 0

    def render(self, data: bytes, view: View) -> tuple[Runs, bool]:
        """Take each record; those of one chunk of output begin alike, which is decoded once."""
        runs: Runs = []
        parts: list[bytes] = []
        common, current, stamp, shown = b"\0", "", b"", False
        for start, end in _bounds(data):
            if not data.startswith(common, start):
                stream, time_ns, at = _beginning(data, start, end)
                moment = rfc3339_nano(time_ns)
                if view.until and moment > view.until:
                    return [*runs, (current, b"".join(parts))], True
                if stream != current:
                    runs.append((current, b"".join(parts)))
                    current, parts = stream, []
                common = data[start:at] or b"\0"
                stamp = f"{moment} ".encode() if view.timestamps else b""
                # There are no attributes to show in this format.
                stamp += b" " if view.details else b""
                shown = stream in view.streams and moment >= view.since
            if shown:
                line, newline = _line(data, start + len(common), end)
                parts += (stamp, line, b"\n") if newline else (stamp, line)
        return [*runs, (current, b"".join(parts))], False


def _starts(data: bytes) -> list[int]:
    return [start - 4 for start, _end in _bounds(data)]


def _bounds(data: bytes) -> list[tuple[int, int]]:
    """Return where the records of complete data begin and end, without their lengths."""
    bounds = []
    position, end = 0, len(data)
    while position < end:
        size = int.from_bytes(data[position : position + 4], "big")
        bounds.append((position + 4, position + 4 + size))
        position += size + 8
    return bounds


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return value, end


def _beginning(data: bytes, start: int, end: int) -> tuple[str, int, int]:
    """Return the stream, the time in nanoseconds, and where the length of the line is."""
    stream, time_ns, at = "", 0, start
    while at < end and data[at] != 0x1A:
        tag = data[at]
        number, at = _varint(data, at + 1, end)
        if tag == 0x0A:
            stream = data[at : at + number].decode("ascii", "replace")
            at += number
        else:
            time_ns = number
    return stream, time_ns, min(at + 1, end)


def _line(data: bytes, at: int, end: int) -> tuple[bytes, bool]:
    """Return a record's text, and whether a newline follows it: not after a part that is not the last."""
    length, at = _varint(data, at, end)
    stop = min(at + length, end)
    # What follows is about the part: its metadata begin with `last` where that is true.
    about = data.find(_META, stop, end)
    newline = stop == end or (0 <= about < end - len(_META) - 1 and data[about + len(_META) + 1] == _LAST)
    return data[at:stop], newline
