"""TLS for the TCP listeners: what was asked for, what that allows, and the context that it makes.

    nothing                       TCP on loopback only, plain
    --tlsverify and three files   TCP anywhere; a client proves who it is by a certificate of the authority
    --tls (--tlsverify=false)     TCP anywhere, encrypted; whoever connects is root, and was asked for by name
    --tls=false                   TCP anywhere, plain: the same, and everybody on the way reads along

Source: dockerd's `--tls...` and its rule that a TCP listener without authentication needs "explicit intent".
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass

from windlass.base.errors import InvalidParameter
from windlass.daemon.configuration import Configuration

_FILES = {"tlscacert": "ca.pem", "tlscert": "cert.pem", "tlskey": "key.pem"}


@dataclass(frozen=True, slots=True)
class TcpPolicy:
    """How TCP listeners are guarded. `context` is None for plain connections; `anywhere` allows other addresses than
    loopback; `verified` tells that clients prove who they are."""

    context: ssl.SSLContext | None = None
    anywhere: bool = False
    verified: bool = False


def tcp_policy(configuration: Configuration) -> TcpPolicy:
    """Return the policy that the options ask for. Blocks: it reads the certificates.

    Raises:
        InvalidParameter: a file is missing or is no certificate, in dockerd's words.
    """
    verify = configuration.switch("tlsverify")
    # `--tlsverify` implies `--tls`, even when that is false.
    if not verify and not configuration.switch("tls"):
        return TcpPolicy(anywhere=bool({"tls", "tlsverify"} & configuration.given))
    return TcpPolicy(_context(configuration, verify), anywhere=verify or _is_meant(configuration), verified=verify)


def _is_meant(configuration: Configuration) -> bool:
    """`--tls` alone encrypts and asks nobody who they are: that is not yet meant to be open to all."""
    return "tlsverify" in configuration.given


def tcp_warnings(configuration: Configuration) -> tuple[str, ...]:
    """Return what `info` is to say of TCP listeners that ask nobody who they are, loopback included, as dockerd's."""
    if configuration.switch("tlsverify"):
        return ()
    encrypted = configuration.switch("tls")
    scheme, lack = ("https", "TLS client verification") if encrypted else ("http", "encryption")
    return tuple(
        f"WARNING: API is accessible on {scheme}://{host.removeprefix('tcp://')} without {lack}.\n"
        "         Access to the remote API is equivalent to root access on the host."
        for host in configuration.hosts
        if host.startswith("tcp://")
    )


def _context(configuration: Configuration, verify: bool) -> ssl.SSLContext:
    authority, certificate, key = (_path(configuration, flag) for flag in _FILES)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A client that renegotiates makes the server work for nothing.
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        # Without this a key with a passphrase would ask for it on the terminal.
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise InvalidParameter(
            f'invalid TLS configuration: Could not load X509 key pair (cert: "{certificate}", key: "{key}"): '
            f"{_reason(error)}. Make sure the key is not encrypted"
        ) from None
    if verify:
        try:
            context.load_verify_locations(cafile=authority)
        except (OSError, ssl.SSLError) as error:
            raise InvalidParameter(
                f'invalid TLS configuration: could not read CA certificate "{authority}": {_reason(error)}'
            ) from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _no_passphrase() -> str:
    raise ValueError("the private key is encrypted")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"no PEM data of that kind ({error.reason or 'unknown'})"
    return os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else str(error)


def _path(configuration: Configuration, flag: str) -> str:
    """The file of an option; its default is where the docker client has its own."""
    directory = os.environ.get("DOCKER_CERT_PATH") or os.path.expanduser("~/.docker")
    return configuration.text(flag) or f"{directory}/{_FILES[flag]}"
