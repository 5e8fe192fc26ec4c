"""From chunks of output to lines: what every log is made of.

Complete lines go on in blocks, as many as a chunk has, so that no driver needs work for each of them. A line of 16 KiB
or more is split into parts of that length, and what a stream leaves without a newline is a part as well.

Source: moby daemon/logger/copier.go.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MAX_PARTIAL = 16 * 1024
STREAMS = ("stdout", "stderr")


@dataclass(frozen=True, slots=True)
class Partial:
    """Which part of a split line something is: `ordinal` counts from 1, `last` tells that the newline was reached."""

    id: str
    ordinal: int
    last: bool


class Sink(Protocol):
    """Where lines go. Times are nanoseconds since the epoch."""

    @property
    def busy(self) -> bool:
        """Whether no more should come until the log says that it is ready."""

    def lines(self, stream: str, block: bytes, time_ns: int) -> None:
        """Take complete lines, each with its newline and shorter than 16 KiB."""

    def part(self, stream: str, data: bytes, time_ns: int, partial: Partial) -> None:
        """Take a part of a line, without a newline; `time_ns` is that of the first part."""

    def close(self) -> None:
        """Nothing comes any more."""


class Log:
    """Where a container's output is kept. This base keeps nothing (driver `none`)."""

    def __init__(self) -> None:
        self.on_ready: Callable[[], None] = lambda: None
        """Called when a log that was busy is so no more."""

    @property
    def busy(self) -> bool:
        """Whether the container has to wait: its output should not be read now."""
        return False

    def write(self, stream: str, data: bytes) -> None:
        """Take a chunk of output as it was read."""

    def finish(self, stream: str) -> None:
        """Take the end of a stream: an unfinished line becomes a record."""

    def close(self) -> None:
        """Let everything go."""


class _Stream:
    """What is left over of a stream between two chunks."""

    def __init__(self) -> None:
        self.tail = b""
        self.part: Partial | None = None
        self.part_time_ns = 0


class LineLog(Log):
    """Splits output and passes it to its sinks."""

    def __init__(self, sinks: list[Sink]) -> None:
        super().__init__()
        self._sinks = sinks
        self._streams = {name: _Stream() for name in STREAMS}

    @property
    def busy(self) -> bool:
        """Whether a sink cannot take more."""
        return any(sink.busy for sink in self._sinks)

    def write(self, stream: str, data: bytes) -> None:
        """Pass on the complete lines; keep an unfinished one until its rest comes or it is 16 KiB long."""
        state = self._streams[stream]
        if state.tail:
            data = state.tail + data
        now = time.time_ns()
        start, end = 0, data.rfind(b"\n") + 1
        while start < end:
            if state.part is None and (stop := _short_lines(data, start, end)) > start:
                block = data if start == 0 and stop == len(data) else data[start:stop]
                for sink in self._sinks:
                    sink.lines(stream, block, now)
                start = stop
                continue
            newline = data.find(b"\n", start)
            if newline - start >= MAX_PARTIAL:
                self._part(stream, data[start : start + MAX_PARTIAL], now, last=False)
                start += MAX_PARTIAL
            else:
                self._part(stream, data[start:newline], now, last=True)
                start = newline + 1
        while len(data) - start >= MAX_PARTIAL:
            self._part(stream, data[start : start + MAX_PARTIAL], now, last=False)
            start += MAX_PARTIAL
        state.tail = data[start:]

    def _part(self, stream: str, data: bytes, now: int, *, last: bool) -> None:
        state = self._streams[stream]
        if state.part is None:
            state.part = Partial(os.urandom(32).hex(), 1, last)
            state.part_time_ns = now
        else:
            state.part = Partial(state.part.id, state.part.ordinal + 1, last)
        for sink in self._sinks:
            sink.part(stream, data, state.part_time_ns, state.part)
        if last:
            state.part = None

    def finish(self, stream: str) -> None:
        """Pass on what the stream left without a newline."""
        state = self._streams[stream]
        if state.tail:
            tail, state.tail = state.tail, b""
            self._part(stream, tail, time.time_ns(), last=False)
        state.part = None

    def close(self) -> None:
        """Pass on unfinished lines and close the sinks."""
        for stream in STREAMS:
            self.finish(stream)
        for sink in self._sinks:
            sink.close()


def _short_lines(data: bytes, start: int, end: int) -> int:
    """Return where the run of lines from `start` ends in which none is too long; `end` is after a newline."""
    while end - start > MAX_PARTIAL:
        newline = data.rfind(b"\n", start, start + MAX_PARTIAL)
        if newline < 0:
            return start
        start = newline + 1
    return end
