"""A program on a pseudo-terminal, driven as a person would: wait for words, type, change the window's size."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import time

PATIENCE_S = 20.0


class Terminal:
    """A child process whose terminal we hold."""

    def __init__(self, command: list[str]) -> None:
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.execvp(command[0], command)
        self._seen = b""

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def resize(self, rows: int, columns: int) -> None:
        """Change the window's size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def local_flags(self) -> int:
        """The terminal's local modes: echo, canonical input and their like."""
        flags: int = termios.tcgetattr(self._master)[3]
        return flags

    def wait_for(self, words: bytes) -> None:
        """Read until `words` are on the screen; what is before and with them is used up."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self._seen:
            left_s = deadline - time.monotonic()
            ready = select.select([self._master], [], [], max(0.0, left_s))[0]
            piece = self._read() if ready else b""
            assert piece, f"{words!r} did not appear in {self._seen!r}"
            self._seen += piece
        self._seen = self._seen.partition(words)[2]

    def _read(self) -> bytes:
        try:
            return os.read(self._master, 65536)
        except OSError:
            return b""  # the other side is closed

    def finish(self) -> tuple[int, bytes]:
        """Read to the end; returns (exit code, what was on the screen since)."""
        while piece := self._read():
            self._seen += piece
        status = os.waitpid(self.pid, 0)[1]
        os.close(self._master)
        return os.waitstatus_to_exitcode(status), self._seen
