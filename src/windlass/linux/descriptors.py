"""Descriptors through unix sockets, by `_socket` alone: its wrapper `socket` takes two milliseconds to import.

Source: unix(7), SCM_RIGHTS.
"""

from __future__ import annotations

import _socket
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# The kernel's limit for one message, SCM_MAX_FD, is 253.
MAX_FDS = 250
_INT_BYTES = 4
_RIGHTS = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS)


def send_fds(sock: _socket.socket, data: bytes, fds: Sequence[int]) -> None:
    """Send `data`, at least a byte, with copies of descriptors."""
    packed = b"".join(fd.to_bytes(_INT_BYTES, sys.byteorder) for fd in fds)
    sock.sendmsg([data], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, packed)])


def receive_fds(sock: _socket.socket, size: int, count: int = 1) -> tuple[bytes, list[int]]:
    """Return at most `size` bytes and `count` descriptors, which are close-on-exec; no bytes are the end."""
    data, control, _flags, _address = sock.recvmsg(
        size, _socket.CMSG_SPACE(count * _INT_BYTES), _socket.MSG_CMSG_CLOEXEC
    )
    packed = b"".join(rights for level, kind, rights in control if (level, kind) == _RIGHTS)
    places = range(0, len(packed) - len(packed) % _INT_BYTES, _INT_BYTES)
    return data, [int.from_bytes(packed[place : place + _INT_BYTES], sys.byteorder) for place in places]


def socket_of(fd: int) -> _socket.socket:
    """Return a socket object for a copy of `fd`."""
    return _socket.socket(fileno=os.dup(fd))
