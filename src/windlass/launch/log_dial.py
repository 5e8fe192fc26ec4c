"""Connections of log drivers, with errors in the words of Go's net package, which users know."""

from __future__ import annotations

import errno
import socket

CONNECT_S = 10.0

_TEXTS = {errno.ENOENT: "no such file or directory", errno.ECONNREFUSED: "connection refused"}


def split_address(address: str, default_port: int) -> tuple[str, int]:
    """Split `host:port`, `[v6]:port` or `host`. The port was checked when the container was made."""
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        return host, int(rest[1:] or default_port)
    host, colon, port = address.rpartition(":")
    if not colon or ":" in host:
        return address, default_port
    return host, int(port or default_port)


def dial(network: str, host: str, port: int) -> socket.socket:
    """Connect to a port; `network` is `tcp` or `udp`.

    Raises:
        OSError: it cannot be reached, or the name is not known.
    """
    kind = socket.SOCK_STREAM if network == "tcp" else socket.SOCK_DGRAM
    try:
        found = socket.getaddrinfo(host or "localhost", port, type=kind)
    except socket.gaierror as error:
        raise OSError(f"dial {network}: lookup {host}: no such host") from error
    last: OSError | None = None
    for family, _, _, _, address in found:
        sock = socket.socket(family, kind)
        try:
            sock.settimeout(CONNECT_S)
            sock.connect(address)
        except OSError as error:
            sock.close()
            last = last or error
            continue
        # From here on a receiver that stalls stalls the sender; only the mode says who else.
        sock.settimeout(None)
        return sock
    raise OSError(f"dial {network} {address[0]}:{port}: connect: {_text(last)}")


def dial_unix(path: str, kinds: tuple[int, ...]) -> socket.socket:
    """Connect to a unix socket of the first of `kinds` that it is.

    Raises:
        OSError: nobody listens there.
    """
    last: OSError | None = None
    for kind in kinds:
        sock = socket.socket(socket.AF_UNIX, kind)
        try:
            sock.settimeout(CONNECT_S)
            sock.connect(path)
        except OSError as error:
            sock.close()
            last = error
            continue
        sock.settimeout(None)
        return sock
    raise OSError(f"dial unix {path}: connect: {_text(last)}")


def _text(error: OSError | None) -> str:
    if error is None:
        return "no address"
    if isinstance(error, TimeoutError):
        return "i/o timeout"
    return _TEXTS.get(error.errno or 0) or (error.strerror or str(error)).lower()
