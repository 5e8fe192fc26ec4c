"""Where an engine listens: the text after `-H`, parsed."""

from __future__ import annotations

import _socket

from windlass.client.errors import BadEndpoint, CannotConnect

TCP_PORT = 2375
TLS_PORT = 2376

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.client.tls import TlsFiles, TlsStream


class Endpoint:
    """One engine's address; `text` is its canonical spelling, as error messages show it."""

    __slots__ = ("address", "family", "host_header", "text", "tls")

    def __init__(self, text: str, address: str | tuple[str, int], tls: TlsFiles | None = None) -> None:
        self.text = text
        self.address = address
        self.tls = tls
        self.host_header = "docker" if isinstance(address, str) else f"{address[0]}:{address[1]}"

    @property
    def is_unix(self) -> bool:
        """Tell whether the address is a path of a unix socket."""
        return isinstance(self.address, str)

    def connect(self) -> _socket.socket | TlsStream:
        """Return a connected blocking socket; raises CannotConnect."""
        try:
            if isinstance(self.address, str):
                connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
                connection.connect(self.address)
                return connection
            connection = _connect_tcp(*self.address)
        except OSError as error:
            raise CannotConnect(self.text, error) from None
        if self.tls is None:
            return connection
        from windlass.client.tls import wrap

        return wrap(connection, self.address[0], self.tls)


def _connect_tcp(host: str, port: int) -> _socket.socket:
    last: OSError = OSError(f"no address for {host}")
    for family, kind, protocol, _, address in _socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM):
        connection = _socket.socket(family, kind, protocol)
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            last = error
            continue
        connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        return connection
    raise last


def parse_endpoint(text: str, tls: TlsFiles | None = None) -> Endpoint:
    """Parse `unix:///path`, `tcp://host[:port]`, `http://...`, `ssh://host` or a bare `host:port`; raises BadEndpoint.

    Source: https://docs.docker.com/reference/cli/docker/#host
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "tcp", text
    if scheme == "unix":
        if not rest:
            raise BadEndpoint(f"invalid bind address format: {text}")
        return Endpoint(f"unix://{rest}", rest)
    if scheme == "ssh":
        from windlass.client.ssh import parse_ssh

        return parse_ssh(text)
    if scheme in ("tcp", "http", "https"):
        host, port = _split_host_port(rest.partition("/")[0], text, TCP_PORT if tls is None else TLS_PORT)
        return Endpoint(f"tcp://{f'[{host}]' if ':' in host else host}:{port}", (host, port), tls)
    raise BadEndpoint(f"unable to resolve docker endpoint: invalid bind address format: {text}")


def _split_host_port(rest: str, text: str, default_port: int) -> tuple[str, int]:
    host, port_text = rest, ""
    if rest.startswith("["):
        host, bracket, tail = rest[1:].partition("]")
        if not bracket or (tail and not tail.startswith(":")):
            raise BadEndpoint(f"invalid bind address format: {text}")
        port_text = tail[1:]
    elif rest.count(":") == 1:
        host, _, port_text = rest.partition(":")
    if port_text and not (port_text.isdecimal() and int(port_text) < 65536):
        raise BadEndpoint(f"invalid bind address format: {text}")
    return host or "127.0.0.1", int(port_text) if port_text else default_port
