"""Bring up `lo` of the current network namespace by ioctl, without netlink.

Source: netdevice(7), SIOCSIFFLAGS.
"""

from __future__ import annotations

import _socket
import fcntl
import sys

_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1
_NAME_BYTES = 16
_REQUEST_BYTES = 40


def loopback_up() -> None:
    """Set IFF_UP on `lo`."""
    # `socket` itself takes two milliseconds to import.
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        # struct ifreq: the name, then the flags.
        request = b"lo".ljust(_NAME_BYTES, b"\0") + _IFF_UP.to_bytes(2, sys.byteorder)
        fcntl.ioctl(sock.fileno(), _SIOCSIFFLAGS, request.ljust(_REQUEST_BYTES, b"\0"))
    finally:
        sock.close()
