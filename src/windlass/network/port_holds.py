"""Holding a host port with a bound socket that never listens.

Packets for a published port are redirected before they reach a socket; the socket is there so that no process of
the host takes the port, and so that a port which one has already is noticed.
"""

from __future__ import annotations

import errno
import os
import socket
from ipaddress import IPv4Address

from windlass.network.errors import PortBusy
from windlass.network.model import Protocol

_KINDS: dict[Protocol, tuple[int, int]] = {
    "tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
    "sctp": (socket.SOCK_STREAM, socket.IPPROTO_SCTP),
}
_UNSUPPORTED = (errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT)


def hold_port(protocol: Protocol, host_ip: IPv4Address, port: int) -> socket.socket | None:
    """Bind a port on `host_ip` and return the socket; None when the kernel does not speak `protocol`.

    Raises:
        PortBusy: a process of the host has the port, or the address is not the host's.
    """
    kind, number = _KINDS[protocol]
    try:
        sock = socket.socket(socket.AF_INET, kind | socket.SOCK_CLOEXEC, number)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return None
        raise
    try:
        _bind(sock, protocol, (str(host_ip), port))
        if protocol == "udp":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)  # strays are not worth memory
    except OSError as error:
        sock.close()
        raise PortBusy(protocol, str(host_ip), port, os.strerror(error.errno or 0).lower()) from error
    return sock


def _bind(sock: socket.socket, protocol: Protocol, address: tuple[str, int]) -> None:
    """Bind exclusively, and yet where only connections in TIME_WAIT are left of an earlier server.

    SO_REUSEADDR must be off once bound: with it on, any other socket that has it may bind the port and listen.
    """
    try:
        sock.bind(address)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or protocol != "tcp":
            raise
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
