"""Pseudo-terminals of a devpts instance, opened without looking up a path twice.

Source: pty(7), ioctl_tty(2) (TIOCGPTPEER, Linux 4.13).
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
import termios

_TIOCSPTLCK = 0x40045431
_TIOCGPTPEER = 0x5441
_INT_BYTES = 4
_WINSIZE_BYTES = 8
_PTMX_DEVICE = os.makedev(5, 2)


def open_terminal(ptmx_fd: int) -> int:
    """Unlock the new terminal behind the master `ptmx_fd` and return its slave.

    Raises:
        OSError: ENODEV, the file is not a terminal multiplexer (an image's trick).
    """
    status = os.fstat(ptmx_fd)
    if not stat.S_ISCHR(status.st_mode) or status.st_rdev != _PTMX_DEVICE:
        raise OSError(errno.ENODEV, "ptmx is not a terminal multiplexer")
    fcntl.ioctl(ptmx_fd, _TIOCSPTLCK, bytes(_INT_BYTES))
    return fcntl.ioctl(ptmx_fd, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)


def set_controlling_terminal(slave_fd: int) -> None:
    """Make the terminal the session's; the caller leads its session."""
    fcntl.ioctl(slave_fd, termios.TIOCSCTTY, 0)


def set_window_size(fd: int, rows: int, columns: int) -> None:
    """Set the size of a terminal in characters."""
    # struct winsize, whose last two members nobody uses.
    size = rows.to_bytes(2, sys.byteorder) + columns.to_bytes(2, sys.byteorder)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, size.ljust(_WINSIZE_BYTES, b"\0"))
