"""Creating a container: the image pulled where it must be, the id file kept."""

from __future__ import annotations

import os

from windlass.cli.create.body import Fields, create_body
from windlass.cli.errors import EXIT_ENGINE, CliError
from windlass.cli.reference import Reference, is_id, parse_reference
from windlass.client.errors import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

PULL_POLICIES = ("always", "missing", "never")
NOT_FOUND = 404
API_SOCKET = "/var/run/docker.sock"


def request_body(context: Context, values: Values, arguments: list[str], *, detached: bool = False) -> Fields:
    """Return ContainerCreate's body for a command line; raises CliError."""
    if values.text("pull") not in PULL_POLICIES:
        expected = 'must be one of "always", "missing" or "never"'
        raise CliError(f"invalid pull option: '{values.text('pull')}': {expected}", EXIT_ENGINE)
    body = create_body(values, arguments[0], arguments[1:], detached=detached)
    _add_proxies(context, body)
    if values.on("use-api-socket"):
        _add_api_socket(context, body)
    return body


def _add_proxies(context: Context, body: Fields) -> None:
    proxies = context.config.proxy_variables(context.host.endpoint.text)
    if not proxies:
        return
    given = body.get("Env")
    lines = [str(line) for line in given] if isinstance(given, list) else []
    names = {line.partition("=")[0] for line in lines}
    body["Env"] = lines + [f"{name}={value}" for name, value in proxies.items() if name not in names]


def _add_api_socket(context: Context, body: Fields) -> None:
    if not context.host.endpoint.is_unix:
        raise CliError("flag --use-api-socket can't be used with a remote engine", EXIT_ENGINE)
    host = body["HostConfig"]
    assert isinstance(host, dict)
    source = str(context.host.endpoint.address)
    mount = {"Type": "bind", "Source": source, "Target": API_SOCKET, "BindOptions": {}}
    host["Mounts"] = [*host.get("Mounts", []), mount]


def create_container(context: Context, values: Values, body: Fields) -> str:
    """Create the container and return its id; warnings go to stderr. Raises CliError, ApiError."""
    image = str(body["Image"])
    reference = _reference(image)
    _warn_of_local_dns(context, values)
    id_file = _IdFile(values.text("cidfile"))
    if values.text("pull") == "always" and reference is not None:
        _pull(context, values, reference)
    query = {name: values.text(name) for name in ("name", "platform") if values.text(name)}
    try:
        answer = context.engine.call("POST", "/containers/create", query, body)
    except ApiError as error:
        if error.status != NOT_FOUND or reference is None or values.text("pull") != "missing":
            raise
        if not _concerns_image(error.message, reference, image):
            raise
        context.warn(f"Unable to find image '{reference.familiar}' locally")
        _pull(context, values, reference)
        answer = context.engine.call("POST", "/containers/create", query, body)
    assert isinstance(answer, dict)
    for warning in answer.get("Warnings") or ():
        context.warn(f"WARNING: {warning}")
    container = str(answer["Id"])
    id_file.write(container)
    return container


def _warn_of_local_dns(context: Context, values: Values) -> None:
    for address in values.texts("dns") if values.given("dns") else ():
        if address.startswith("127.") or address == "::1":
            context.warn(f"WARNING: Localhost DNS ({address}) may fail in containers.")


def _concerns_image(message: str, reference: Reference, image: str) -> bool:
    """Tell a missing image from a missing network or volume, which no pull would mend."""
    lowered = message.lower()
    return "no such image" in lowered or image in message or reference.familiar in message


def _reference(image: str) -> Reference | None:
    if is_id(image):
        return None
    try:
        return parse_reference(image).with_default_tag()
    except ValueError as error:
        raise CliError(str(error), EXIT_ENGINE) from None


def _pull(context: Context, values: Values, reference: Reference) -> None:
    from windlass.cli.pulling import pull_image

    pull_image(context, reference, platform=values.text("platform"), quiet=values.on("quiet"), to_stderr=True)


class _IdFile:
    """The file of `--cidfile`, refused where it exists already."""

    def __init__(self, path: str) -> None:
        self._path = path
        if path and os.path.lexists(path):
            raise CliError(
                f"container ID file found, make sure the other container isn't running or delete {path}", EXIT_ENGINE
            )

    def write(self, container: str) -> None:
        """Write the id, where a file was asked for; raises CliError."""
        if not self._path:
            return
        try:
            with open(self._path, "x", encoding="ascii") as file:
                file.write(container)
        except OSError as error:
            from windlass.cli.create.files import go_error

            reason = go_error("open", self._path, error)
            raise CliError(f"failed to create the container ID file: {reason}", EXIT_ENGINE) from None
