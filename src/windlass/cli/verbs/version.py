"""`version`: which client, which engine."""

from __future__ import annotations

import os

from windlass import __version__
from windlass.cli.command import Command, none
from windlass.cli.errors import EXIT_FAILURE
from windlass.cli.flags import text
from windlass.cli.listing import INSPECT_FORMAT_USAGE, JSON
from windlass.client.engine import API_VERSION
from windlass.client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
_DETAILS = (
    ("API version", "ApiVersion"),
    ("Go version", "GoVersion"),
    ("Python version", "PythonVersion"),
    ("Git commit", "GitCommit"),
    ("Built", "BuildTime"),
)


def run(context: Context, values: Values, _arguments: list[str]) -> int:
    """Print both versions; without an engine the client's alone, and fail."""
    server: dict[str, object] | None = None
    failure: ClientError | None = None
    try:
        context.engine.negotiate()
        answer = context.engine.call("GET", "/version")
        server = answer if isinstance(answer, dict) else None
    except ClientError as error:
        failure = error
    client = _client(context.engine.version if server else API_VERSION, context.host.context_name)
    template = values.text("format")
    if template:
        _print_templated(context, template, {"Client": client, "Server": server})
    else:
        context.out(_client_text(client) + (server_text(server) if server else ""))
    if failure is None:
        return 0
    context.warn(str(failure))
    return EXIT_FAILURE


def _client(api_version: str, context_name: str) -> dict[str, object]:
    machine = os.uname()
    return {
        "Version": __version__,
        "ApiVersion": api_version,
        "DefaultAPIVersion": API_VERSION,
        "Os": machine.sysname.lower(),
        "Arch": _ARCHITECTURES.get(machine.machine, machine.machine),
        "Context": context_name,
    }


def _client_text(client: dict[str, object]) -> str:
    api = str(client["ApiVersion"])
    if api != client["DefaultAPIVersion"]:
        api += f" (downgraded from {client['DefaultAPIVersion']})"
    rows = (
        ("Version", client["Version"]),
        ("API version", api),
        ("OS/Arch", f"{client['Os']}/{client['Arch']}"),
        ("Context", client["Context"]),
    )
    return "Client:\n" + "".join(f" {name + ':':<18} {value}\n" for name, value in rows)


def server_text(server: dict[str, object]) -> str:
    """Return the engine's part: every component with its details."""
    platform = server.get("Platform")
    name = platform.get("Name", "") if isinstance(platform, dict) else ""
    lines = ["", f"Server: {name}".rstrip()]
    components = server.get("Components")
    for component in components if isinstance(components, list) else [_as_component(server)]:
        assert isinstance(component, dict)
        lines.append(f" {component['Name']}:")
        given = component.get("Details")
        details: dict[str, str] = given if isinstance(given, dict) else {}
        rows = [("Version", component.get("Version", ""))]
        rows += [(title, _detail(details, key)) for title, key in _DETAILS if details.get(key)]
        if component["Name"] == "Engine":
            rows.append(("OS/Arch", f"{details.get('Os', '')}/{details.get('Arch', '')}"))
            rows.append(("Experimental", details.get("Experimental", "false")))
        elif list(details) == ["GitCommit"]:
            rows = [("Version", component.get("Version", "")), ("GitCommit", details["GitCommit"])]
        lines += [f"  {title + ':':<17} {value}" for title, value in rows]
    return "\n".join(lines) + "\n"


def _as_component(server: dict[str, object]) -> dict[str, object]:
    return {"Name": "Engine", "Version": server.get("Version"), "Details": server}


def _detail(details: dict[str, str], key: str) -> str:
    if key == "ApiVersion":
        return f"{details[key]} (minimum version {details.get('MinAPIVersion', '')})"
    return details[key]


def _print_templated(context: Context, template: str, data: dict[str, object]) -> None:
    from windlass.cli.errors import EXIT_TEMPLATE, CliError
    from windlass.cli.gotemplate import ParseError, Template, TemplateError
    from windlass.cli.gotemplate.values import typed

    try:
        context.print(Template("{{json .}}" if template == JSON else template, "version").render(typed(data)))
    except TemplateError as error:
        malformed = isinstance(error, ParseError)
        raise CliError(
            f"template parsing error: {error}" if malformed else str(error),
            EXIT_TEMPLATE if malformed else EXIT_FAILURE,
        ) from None


COMMAND = Command(
    "[OPTIONS]",
    run,
    rule=none,
    flags=(text("format", INSPECT_FORMAT_USAGE, "f"),),
    examples="windlass version --format '{{.Server.Version}}'",
)
