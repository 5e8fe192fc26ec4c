"""TLS towards an engine on TCP; imported only when asked for."""

from __future__ import annotations

import _socket
import socket
import ssl

from windlass.client.errors import ClientError


class TlsFiles:
    """Paths of PEM files and whether to verify the peer; a missing path is the empty string."""

    __slots__ = ("ca", "cert", "key", "verify")

    def __init__(self, ca: str, cert: str, key: str, verify: bool) -> None:
        self.ca = ca
        self.cert = cert
        self.key = key
        self.verify = verify


def wrap(connection: _socket.socket, host: str, files: TlsFiles) -> socket.socket:
    """Return `connection` under TLS 1.2 or later; raises ClientError when the handshake fails.

    Source: https://docs.docker.com/engine/security/protect-access/
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = files.verify
    context.verify_mode = ssl.CERT_REQUIRED if files.verify else ssl.CERT_NONE
    try:
        if files.verify:
            context.load_verify_locations(files.ca)
        if files.cert:
            context.load_cert_chain(files.cert, files.key)
        plain = socket.socket(fileno=connection.detach())
        return context.wrap_socket(plain, server_hostname=host)
    except OSError as error:
        raise ClientError(f"TLS with {host} failed: {error}") from error
