"""A container's terminal shown on ours: raw mode, size, and bytes both ways.

Source: termios(3), ioctl_tty(2).
"""

from __future__ import annotations

import fcntl
import os
import select
import termios

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CHUNK = 32 * 1024
_WINDOW_BYTES = 8
_IFLAG, _OFLAG, _CFLAG, _LFLAG, _CC = 0, 1, 2, 3, 6


class Terminal:
    """The master of the process's terminal, and our own standard streams."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._saved: list[Any] | None = None
        if os.isatty(0):
            self._saved = termios.tcgetattr(0)
            termios.tcsetattr(0, termios.TCSANOW, _raw(self._saved))
        self.resize()

    def resize(self) -> None:
        """Give it the size of ours."""
        if self._saved is not None:
            size = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(_WINDOW_BYTES))
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def restore(self) -> None:
        """Set ours back to what it was."""
        if self._saved is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, self._saved)
            self._saved = None

    def copy_until_end(self, pidfd: int) -> None:
        """Copy both ways until the process has ended and its output is read."""
        poll = select.poll()
        for fd in (self._master, pidfd, 0):
            poll.register(fd, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if self._master in ready:
                if not self._copy_output():
                    return
            elif pidfd in ready:
                # Whoever keeps the terminal open longer than its first process is not waited for.
                return
            if 0 in ready and not self._copy_input():
                poll.unregister(0)

    def _copy_output(self) -> bool:
        try:
            data = os.read(self._master, _CHUNK)
        except OSError:
            # EIO: nobody has the other side open any more.
            return False
        _write(1, data)
        return bool(data)

    def _copy_input(self) -> bool:
        data = os.read(0, _CHUNK)
        if data:
            _write(self._master, data)
        return bool(data)


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _raw(saved: list[Any]) -> list[Any]:
    """Return the settings of cfmakeraw(3), with output still processed by the process's own terminal."""
    mode = [*saved[:_CC], list(saved[_CC])]
    mode[_IFLAG] &= ~(
        termios.IGNBRK
        | termios.BRKINT
        | termios.PARMRK
        | termios.ISTRIP
        | termios.INLCR
        | termios.IGNCR
        | termios.ICRNL
        | termios.IXON
    )
    mode[_OFLAG] &= ~termios.OPOST
    mode[_LFLAG] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    mode[_CFLAG] = mode[_CFLAG] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    mode[_CC][termios.VMIN], mode[_CC][termios.VTIME] = 1, 0
    return mode
