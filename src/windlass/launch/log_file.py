"""The container's log in Docker's json-file format, written by its supervisor.

One JSON object a line: `{"log": ..., "stream": ..., "time": ...}`. Lines are encoded by the chunk, not one by one: the
text between two newlines of a chunk has the same surroundings, so one replacement makes all its records.

A record is whole or absent: what a full disk cut short is taken back.

Source: moby daemon/logger/jsonfilelog; lines longer than 16 KiB are split like its copier does.
"""

from __future__ import annotations

import os
import sys
import time
from json.encoder import encode_basestring as _quote

from windlass.base.clock import rfc3339_nano
from windlass.spec.task import LogPlan

MAX_PARTIAL = 16 * 1024
_SMALLEST_PIECE = 1024
_WHOLE = 1 << 62
# Text without these bytes needs no escaping; bytes from 0x80 go the slow way, where UTF-8 is checked.
_PLAIN = bytes(byte for byte in range(0x20, 0x7F) if byte not in b'"\\') + b"\n"
# A private-use character stands for the newline while the JSON encoder runs over a whole chunk.
_SENTINEL = "\uf8ff"


class Log:
    """Where a container's output is kept. This base keeps nothing (driver `none`)."""

    def write(self, stream: str, data: bytes) -> None:
        """Take a chunk of output as it was read."""

    def finish(self, stream: str) -> None:
        """Take the end of a stream: an unfinished line becomes a record."""

    def close(self) -> None:
        """Close the file."""


class JsonFileLog(Log):
    """Appends records to a file and rotates it by size: `path`, `path.1`, ... up to `max_file` files."""

    def __init__(self, plan: LogPlan) -> None:
        self._path = plan.path
        self._max_size = plan.max_size
        self._max_file = max(1, plan.max_file)
        self._piece = max(_SMALLEST_PIECE, self._max_size // 16) if self._max_size else _WHOLE
        self._tails: dict[str, bytes] = {"stdout": b"", "stderr": b""}
        attrs = "".join(f"{_quote(key)}:{_quote(value)}," for key, value in sorted(plan.attrs.items()))
        self._attrs = f'"attrs":{{{attrs[:-1]}}},' if attrs else ""
        self._complained = False
        self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(self._path, flags, 0o640)
        self._size = os.lseek(self._fd, 0, os.SEEK_END)

    def write(self, stream: str, data: bytes) -> None:
        """Write the complete lines of `data`; keep an unfinished one until its rest comes or it is 16 KiB long."""
        tail = self._tails[stream]
        if tail:
            data = tail + data
        end = data.rfind(b"\n") + 1
        while end > self._piece:
            # Whole lines, few enough that a file of `max_size` is not far exceeded by one write.
            cut = (data.rfind(b"\n", 0, self._piece) + 1) or (data.find(b"\n") + 1)
            self._append(self._encode(stream, data[:cut], newline=True))
            data, end = data[cut:], end - cut
        if end:
            self._append(self._encode(stream, data[:end], newline=True))
            data = data[end:]
        while len(data) >= MAX_PARTIAL:
            self._append(self._encode(stream, data[:MAX_PARTIAL], newline=False))
            data = data[MAX_PARTIAL:]
        self._tails[stream] = data

    def finish(self, stream: str) -> None:
        """Write what the stream left without a newline."""
        tail = self._tails[stream]
        if tail:
            self._tails[stream] = b""
            self._append(self._encode(stream, tail, newline=False))

    def _encode(self, stream: str, data: bytes, *, newline: bool) -> bytes:
        head = '{"log":"'
        foot = f'","stream":"{stream}",{self._attrs}"time":"{rfc3339_nano(time.time_ns())}"}}\n'
        body = data[:-1] if newline else data
        between = "\\n" + foot + head
        last = ("\\n" if newline else "") + foot
        if not body.translate(None, _PLAIN):
            middle = body.replace(b"\n", between.encode())
            return b"".join((head.encode(), middle, last.encode()))
        text = body.decode("utf-8", "replace")
        if _SENTINEL in text:
            return b"".join(
                (head + _quote(line)[1:-1] + ("\\n" if newline else "") + foot).encode() for line in text.split("\n")
            )
        quoted = _quote(text.replace("\n", _SENTINEL))[1:-1].replace(_SENTINEL, between)
        return (head + quoted + last).encode("utf-8", "replace")

    def _append(self, record: bytes) -> None:
        if self._max_size and self._size and self._size + len(record) > self._max_size:
            self._rotate()
        try:
            view = memoryview(record)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            # A torn record would break every reader; the container itself goes on.
            os.ftruncate(self._fd, self._size)
            if not self._complained:
                self._complained = True
                sys.stderr.write(f"level=error msg={_quote(f'container log lost: {error}')} path={self._path}\n")
                sys.stderr.flush()
            return
        self._size += len(record)
        self._complained = False

    def _rotate(self) -> None:
        os.close(self._fd)
        for number in range(self._max_file - 1, 0, -1):
            older = f"{self._path}.{number}"
            newer = f"{self._path}.{number - 1}" if number > 1 else self._path
            try:
                os.rename(newer, older)
            except FileNotFoundError:
                pass
        if self._max_file == 1:
            os.truncate(self._path, 0)
        self._open()

    def close(self) -> None:
        """Flush unfinished lines and close."""
        for stream in self._tails:
            self.finish(stream)
        os.close(self._fd)


def open_log(plan: LogPlan) -> Log:
    """Open the log that the plan asks for."""
    if plan.driver == "none" or not plan.path:
        return Log()
    return JsonFileLog(plan)
