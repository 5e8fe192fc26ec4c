"""Pseudo-terminals of a devpts instance, opened without looking up a path twice.

Source: pty(7), ioctl_tty(2) (TIOCGPTPEER, Linux 4.13).
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
import termios

_TIOCSPTLCK = 0x40045431
_TIOCGPTPEER = 0x5441
_PTMX_DEVICE = os.makedev(5, 2)


def open_terminal(ptmx_fd: int) -> int:
    """Unlock the new terminal behind the master `ptmx_fd` and return its slave.

    Raises:
        OSError: ENODEV, the file is not a terminal multiplexer (an image's trick).
    """
    status = os.fstat(ptmx_fd)
    if not stat.S_ISCHR(status.st_mode) or status.st_rdev != _PTMX_DEVICE:
        raise OSError(errno.ENODEV, "ptmx is not a terminal multiplexer")
    fcntl.ioctl(ptmx_fd, _TIOCSPTLCK, struct.pack("i", 0))
    return fcntl.ioctl(ptmx_fd, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)


def set_controlling_terminal(slave_fd: int) -> None:
    """Make the terminal the session's; the caller leads its session."""
    fcntl.ioctl(slave_fd, termios.TIOCSCTTY, 0)


def set_window_size(fd: int, rows: int, columns: int) -> None:
    """Set the size of a terminal in characters."""
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
