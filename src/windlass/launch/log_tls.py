"""TLS connections to a syslog receiver. Apart from the other ways because `ssl` is large."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping

from windlass.launch.log_dial import CONNECT_S, dial


def dial_tls(host: str, port: int, options: Mapping[str, str]) -> socket.socket:
    """Connect and check the receiver's certificate.

    Raises:
        OSError: it cannot be reached, or is not who it says.
        ValueError: a file of the options cannot be used.
    """
    context = _context(options)
    sock = dial("tcp", host, port)
    try:
        sock.settimeout(CONNECT_S)
        wrapped = context.wrap_socket(sock, server_hostname=host)
    except ssl.SSLError as error:
        sock.close()
        raise OSError(f"tls: {error.reason or error}") from error
    wrapped.settimeout(None)
    return wrapped


def _context(options: Mapping[str, str]) -> ssl.SSLContext:
    authorities = options.get("syslog-tls-ca-cert", "")
    try:
        context = ssl.create_default_context(cafile=authorities or None)
    except ssl.SSLError as error:
        raise ValueError(f'failed to append certificates from PEM file: "{authorities}"') from error
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise ValueError(f'could not read CA certificate "{authorities}": open {authorities}: {reason}') from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if options.get("syslog-tls-skip-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = options.get("syslog-tls-cert", ""), options.get("syslog-tls-key", "")
    if certificate or key:
        try:
            context.load_cert_chain(certificate, key or None)
        except OSError as error:
            raise ValueError(f"could not load X509 key pair: {error.strerror or error}") from error
    return context
