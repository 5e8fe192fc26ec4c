"""One attached session: our stdin to the container, its output to ours, until one side ends it."""

from __future__ import annotations

import _thread
import os

from windlass.cli.context import STDERR, STDIN, STDOUT
from windlass.cli.terminal import DetachFilter, RawMode
from windlass.client.frames import STDERR as STDERR_FRAME
from windlass.client.frames import FrameSplitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Iterable, Iterator

    from windlass.client.engine import Hijacked
    from windlass.client.tls import TlsStream

READ_BYTES = 256 * 1024
MAX_BUFFERS = 1024
SHUT_WR, SHUT_RDWR = 1, 2


class Session:
    """Copies both ways over a hijacked stream.

    Output is copied by the calling thread, input by a second one: neither direction may wait for the other, or a
    filter fed and read by the same program would come to a standstill.
    """

    def __init__(self, stream: Hijacked, *, tty: bool, stdin: bool, detach_keys: bytes) -> None:
        self._socket: _socket.socket | TlsStream = stream.socket
        self._leftover = stream.leftover
        self._tty = tty
        self._stdin = stdin
        self._filter = DetachFilter(detach_keys) if tty and detach_keys else None
        self.detached = False

    def run(self) -> None:
        """Copy until the engine closes the stream or the user detaches; the terminal is raw meanwhile where due."""
        if not (self._tty and self._stdin):
            self._copy()
            return
        with RawMode(STDIN):
            self._copy()

    def _copy(self) -> None:
        if self._stdin:
            _thread.start_new_thread(self._copy_input, ())
        pieces = received(self._socket, self._leftover)
        if self._tty:
            copy_plain(pieces)
        else:
            copy_framed(pieces)

    def _copy_input(self) -> None:
        try:
            while data := os.read(STDIN, READ_BYTES):
                if self._filter is not None:
                    data, self.detached = self._filter.feed(data)
                self._socket.sendall(data)
                if self.detached:
                    self._socket.shutdown(SHUT_RDWR)
                    return
            self._socket.shutdown(SHUT_WR)
        except OSError:
            return  # the other side is gone: the copying of its output ends the session


def received(connection: _socket.socket | TlsStream, leftover: bytes) -> Iterator[memoryview]:
    """Yield what arrives, as views of one buffer that the next step overwrites."""
    if leftover:
        yield memoryview(leftover)
    buffer = memoryview(bytearray(READ_BYTES))
    while True:
        try:
            size = connection.recv_into(buffer)
        except ConnectionResetError:
            return
        if not size:
            return
        yield buffer[:size]


def copy_plain(pieces: Iterable[memoryview]) -> None:
    """Write everything to stdout."""
    for piece in pieces:
        while piece:
            piece = piece[os.write(STDOUT, piece) :]


def copy_framed(pieces: Iterable[memoryview]) -> None:
    """Take a framed stream apart to stdout and stderr; raises StreamError for the engine's own complaint."""
    splitter = FrameSplitter()
    for piece in pieces:
        batch: list[memoryview] = []
        target = STDOUT
        for stream, payload in splitter.feed(piece):
            fd = STDERR if stream == STDERR_FRAME else STDOUT
            if fd != target or len(batch) == MAX_BUFFERS:
                _write_batch(target, batch)
                batch, target = [], fd
            batch.append(payload)
        _write_batch(target, batch)


def _write_batch(fd: int, batch: list[memoryview]) -> None:
    """Write neighbouring pieces with one system call where the kernel takes them all."""
    while batch:
        written = os.writev(fd, batch)
        index = 0
        while index < len(batch) and written >= len(batch[index]):
            written -= len(batch[index])
            index += 1
        batch = batch[index:]
        if batch and written:
            batch[0] = batch[0][written:]
