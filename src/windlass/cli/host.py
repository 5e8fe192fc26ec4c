"""Which engine to talk to, and the connection to it."""

from __future__ import annotations

import os

from windlass.cli.errors import CliError
from windlass.client.endpoint import Endpoint, parse_endpoint
from windlass.client.engine import Engine
from windlass.client.errors import BadEndpoint, CannotConnect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.cli.flags import Values
    from windlass.client.tls import TlsFiles

DEFAULT_SOCKET = "/run/windlass/windlass.sock"
DEFAULT_HOST = f"unix://{DEFAULT_SOCKET}"
HOST_VARIABLES = ("WINDLASS_HOST", "DOCKER_HOST")


class HostChoice:
    """An endpoint and whether the user named it; only an engine nobody named is started on demand."""

    __slots__ = ("api_version", "endpoint", "explicit")

    def __init__(self, endpoint: Endpoint, explicit: bool, api_version: str = "") -> None:
        self.endpoint = endpoint
        self.explicit = explicit
        self.api_version = api_version


def choose_host(values: Values, environ: Mapping[str, str], config_dir: str) -> HostChoice:
    """Choose by `-H`, then WINDLASS_HOST, then DOCKER_HOST, then the default socket; raises CliError."""
    named = values.texts("host")
    if len(named) > 1:
        raise CliError("Specify only one -H")
    text = named[0] if named else next((environ[name] for name in HOST_VARIABLES if environ.get(name)), "")
    if values.text("context") not in ("", "default"):
        missing = f'context "{values.text("context")}": context not found'
        raise CliError(f"Failed to initialize: unable to resolve docker endpoint: {missing}")
    try:
        endpoint = parse_endpoint(text or DEFAULT_HOST, _tls(values, environ, config_dir))
    except BadEndpoint as error:
        raise CliError(f"Failed to initialize: {error}") from None
    return HostChoice(endpoint, bool(text), environ.get("DOCKER_API_VERSION", ""))


def _tls(values: Values, environ: Mapping[str, str], config_dir: str) -> TlsFiles | None:
    verify = values.on("tlsverify") or bool(environ.get("DOCKER_TLS_VERIFY"))
    if not (verify or values.on("tls") or environ.get("DOCKER_TLS")):
        return None
    from windlass.client.tls import TlsFiles

    directory = environ.get("DOCKER_CERT_PATH") or config_dir

    def file(flag: str, name: str) -> str:
        path = values.text(flag) or f"{directory}/{name}"
        return path if values.given(flag) or os.path.exists(path) else ""

    return TlsFiles(file("tlscacert", "ca.pem"), file("tlscert", "cert.pem"), file("tlskey", "key.pem"), verify)


def connect(host: HostChoice) -> Engine:
    """Return the engine, starting the default one if nobody listens and we may.

    Raises CannotConnect with a hint at what to do.
    """
    if not host.explicit:
        start_if_absent(host.endpoint)
    return Engine(host.endpoint, host.api_version)


def start_if_absent(endpoint: Endpoint) -> None:
    """Start an engine where none listens on the default socket and the user is root."""
    try:
        endpoint.connect().close()
    except CannotConnect as error:
        if isinstance(error.reason, PermissionError) or os.geteuid() != 0:
            raise
        from windlass.cli.autostart import start_daemon

        start_daemon(endpoint)


def hint(error: CannotConnect) -> str:
    """Return a line that says what to do about the failed connection, or nothing."""
    if error.endpoint == DEFAULT_HOST:
        if os.geteuid() != 0:
            return "Run the command as root, which starts the engine when needed, or name another engine with -H.\n"
        return "Start the engine with 'windlass daemon'.\n"
    return "Check the address after -H or in WINDLASS_HOST or DOCKER_HOST, and that the engine listens there.\n"
