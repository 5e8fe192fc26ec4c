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
DEFAULT = "default"
HOST_VARIABLES = ("WINDLASS_HOST", "DOCKER_HOST")
CONTEXT_MARK = b'"currentContext"'


class HostChoice:
    """An endpoint and whether the user named it; only an engine nobody named is started on demand.

    `context_name` is the context it is from, `default_host` the address without one, and `variable` the environment
    variable that gave it.
    """

    __slots__ = ("api_version", "context_name", "default_host", "endpoint", "explicit", "variable")

    def __init__(self, endpoint: Endpoint, explicit: bool, api_version: str = "") -> None:
        self.endpoint = endpoint
        self.explicit = explicit
        self.api_version = api_version
        self.context_name = DEFAULT
        self.default_host = endpoint.text
        self.variable = ""


def choose_host(values: Values, environ: Mapping[str, str], config_dir: str, *, resolve: bool = True) -> HostChoice:
    """Choose by `-H`, `-c`, WINDLASS_HOST, DOCKER_HOST, DOCKER_CONTEXT, config.json, then the default socket.

    With `resolve` off a context is named but not looked up. Raises CliError.
    """
    named = values.texts("host")
    if len(named) > 1:
        raise CliError("Specify only one -H")
    variable = "" if named else next((name for name in HOST_VARIABLES if environ.get(name)), "")
    text = named[0] if named else environ.get(variable, "")
    context = current_name(values, environ, config_dir)
    tls = _tls(values, environ, config_dir)
    if context != DEFAULT and resolve:
        from windlass.cli.contexts.current import resolved

        chosen, found = resolved(context, config_dir)
        tls = found if found is not None or chosen.startswith(("unix:", "ssh:")) else tls
    else:
        chosen = text
    try:
        endpoint = parse_endpoint(chosen or DEFAULT_HOST, tls)
    except BadEndpoint as error:
        raise CliError(f"Failed to initialize: {error}") from None
    choice = HostChoice(endpoint, bool(chosen), environ.get("DOCKER_API_VERSION", ""))
    choice.context_name, choice.default_host, choice.variable = context, text or DEFAULT_HOST, variable
    return choice


def current_name(values: Values, environ: Mapping[str, str], config_dir: str) -> str:
    """Return the name of the context in use: `-c`, no context beside a named host, DOCKER_CONTEXT, config.json.

    Raises CliError when both a host and a context are named.
    """
    named = values.text("context")
    if values.texts("host"):
        if named:
            raise CliError("conflicting options: cannot specify both --host and --context")
        return DEFAULT
    if named:
        return named
    if any(environ.get(variable) for variable in HOST_VARIABLES):
        return DEFAULT
    return environ.get("DOCKER_CONTEXT") or _configured(config_dir) or DEFAULT


def _configured(config_dir: str) -> str:
    """Read the name from config.json; a file that does not have the word is not parsed."""
    try:
        fd = os.open(f"{config_dir}/config.json", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        size = os.fstat(fd).st_size
        raw = os.read(fd, size)
    except OSError:
        return ""
    finally:
        os.close(fd)
    if CONTEXT_MARK not in raw:
        return ""
    from windlass.cli.config import read_config

    return read_config(config_dir).text("currentContext")


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
