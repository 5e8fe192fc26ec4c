"""The process that sends a container's log to a receiver: one thread takes lines in, the other sends.

Between them at most a bounded number of bytes waits. When it is reached, a blocking log makes the container wait; a
non-blocking one drops what comes, and counts it. Once the container has ended, what waits gets a while to be sent.

Source: docker documentation, "Configure logging drivers", delivery mode.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from windlass.launch.log_lines import Partial
from windlass.launch.log_remote import FRAME
from windlass.spec.task import RemotePlan

_DRIVERS = {
    "syslog": "windlass.launch.log_syslog:Syslog",
    "gelf": "windlass.launch.log_gelf:Gelf",
    "fluentd": "windlass.launch.log_fluentd:Fluentd",
    "journald": "windlass.launch.log_journald:Journald",
}
_BLOCKING_BYTES = 256 * 1024
_LINGER_S = 10.0
_BATCH_LINES = 1000
_NAMES = {1: "stdout", 2: "stderr"}


@dataclass(frozen=True, slots=True)
class Message:
    """One line or a part of one, without its newline."""

    stream: str
    line: bytes
    time_ns: int
    partial: Partial | None = None


class Driver(Protocol):
    """A way to a receiver."""

    def connect(self) -> None:
        """Reach the receiver. Raises `OSError` or `ValueError` in the words that users see."""

    def send(self, messages: list[Message]) -> None:
        """Send messages, trying again as the driver's options say. Raises `OSError` when they are lost."""


class Waiting:
    """Frames on their way from one thread to the other."""

    def __init__(self, limit: int, *, drops: bool) -> None:
        self._limit = limit
        self._drops = drops
        self._frames: deque[tuple[str, bytes, int, Partial | None]] = deque()
        self._bytes = 0
        self._ended = False
        self._changed = threading.Condition()
        self.dropped = 0

    def put(self, stream: str, data: bytes, time_ns: int, partial: Partial | None) -> None:
        """Add lines or a part; waits for room, or drops what has none."""
        with self._changed:
            if self._drops:
                data = self._fitting(data, partial)
                if not data:
                    return
            else:
                self._changed.wait_for(lambda: self._bytes < self._limit)
            self._frames.append((stream, data, time_ns, partial))
            self._bytes += len(data)
            self._changed.notify_all()

    def _fitting(self, data: bytes, partial: Partial | None) -> bytes:
        """Return what there is room for. Whatever its size, something always fits an empty queue, as at dockerd."""
        room = self._limit - self._bytes
        if len(data) <= room or (not self._frames and partial is not None):
            return data
        if partial is not None:
            self.dropped += 1
            return b""
        cut = data.rfind(b"\n", 0, max(0, room)) + 1
        if not cut and not self._frames:
            cut = data.find(b"\n") + 1
        self.dropped += data.count(b"\n", cut)
        return data[:cut]

    def take(self) -> tuple[str, bytes, int, Partial | None] | None:
        """Return the next frame, which no longer counts; None after the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._ended)
            if not self._frames:
                return None
            frame = self._frames.popleft()
            self._bytes -= len(frame[1])
            self._changed.notify_all()
            return frame

    def end(self) -> None:
        """Nothing comes any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def ship(plan: RemotePlan, source: socket.socket) -> None:
    """Connect, tell how that went, and send what comes from `source` until its end."""
    try:
        driver = _open(plan)
        driver.connect()
    except (OSError, ValueError) as error:
        source.sendall(" ".join(words(error).split()).encode() + b"\n")
        return
    source.sendall(b"ok\n")
    waiting = Waiting(plan.max_buffer if plan.non_blocking else _BLOCKING_BYTES, drops=plan.non_blocking)
    sender = threading.Thread(target=_send_all, args=(driver, waiting), daemon=True)
    sender.start()
    try:
        _receive_all(source, waiting)
    finally:
        waiting.end()
        sender.join(_LINGER_S)
        if waiting.dropped:
            _tell(f"{waiting.dropped} log lines dropped, their receiver was too slow")


def _open(plan: RemotePlan) -> Driver:
    module, _, name = _DRIVERS[plan.driver].partition(":")
    driver: Driver = getattr(importlib.import_module(module), name)(plan)
    return driver


def words(error: Exception) -> str:
    """Return an error's own text, without the number that Python puts before it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)


def _receive_all(source: socket.socket, waiting: Waiting) -> None:
    identities = {1: "", 2: ""}
    while header := _exactly(source, FRAME.size):
        number, kind, ordinal, time_ns, length = FRAME.unpack(header)
        data = _exactly(source, length)
        partial = None
        if kind:
            if ordinal == 1:
                identities[number] = os.urandom(32).hex()
            partial = Partial(identities[number], ordinal, bool(kind & 2))
        waiting.put(_NAMES[number], data, time_ns, partial)


def _exactly(source: socket.socket, size: int) -> bytes:
    """Return `size` bytes; nothing when the other end has gone."""
    data = bytearray()
    while len(data) < size:
        more = source.recv(size - len(data))
        if not more:
            return b""
        data += more
    return bytes(data)


def _send_all(driver: Driver, waiting: Waiting) -> None:
    failing = False
    while (frame := waiting.take()) is not None:
        for messages in _batches(*frame):
            try:
                driver.send(messages)
                failing = False
            except OSError as error:
                if not failing:
                    _tell(f"log lines lost: {words(error)}")
                failing = True


def _batches(stream: str, data: bytes, time_ns: int, partial: Partial | None) -> Iterator[list[Message]]:
    """Return the messages of a frame, not too many at once: a frame of short lines has a hundred thousand."""
    if partial is not None:
        yield [Message(stream, data, time_ns, partial)]
        return
    lines = data[:-1].split(b"\n")
    for start in range(0, len(lines), _BATCH_LINES):
        yield [Message(stream, line, time_ns) for line in lines[start : start + _BATCH_LINES]]


def _tell(text: str) -> None:
    sys.stderr.write(f'level=warning msg="{text}"\n')
    sys.stderr.flush()
