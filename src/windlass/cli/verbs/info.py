"""`info`: the engine and its host at a glance."""

from __future__ import annotations

from windlass import __version__
from windlass.cli.command import Command, none
from windlass.cli.errors import EXIT_FAILURE
from windlass.cli.flags import text
from windlass.cli.listing import INSPECT_FORMAT_USAGE, JSON, compile_template, rendered
from windlass.client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, _arguments: list[str]) -> int:
    """Print the information; without an engine the client's alone, and fail."""
    info: dict[str, object] = {}
    failure: ClientError | None = None
    try:
        answer = context.engine.call("GET", "/info")
        info = answer if isinstance(answer, dict) else {}
    except ClientError as error:
        failure = error
    template = values.text("format")
    if template:
        _print_templated(context, template, info, failure)
    else:
        from windlass.cli.system_text import info_text

        client = _client_text(context.host.context_name, context.debug)
        context.out(client + (info_text(info) if failure is None else "\nServer:\n"))
        for warning in _warnings(info):
            context.warn(warning)
    if failure is None:
        return 0
    context.warn(str(failure))
    return EXIT_FAILURE


def _print_templated(context: Context, template: str, info: dict[str, object], failure: ClientError | None) -> None:
    from windlass.cli.gotemplate.values import typed

    client = {
        "Debug": context.debug,
        "Version": __version__,
        "Context": context.host.context_name,
        "Plugins": [],
        "Warnings": None,
    }
    data = {**info, "ClientInfo": client}
    if failure is not None:
        data["ServerErrors"] = [str(failure)]
    compiled = compile_template("{{json .}}" if template == JSON else template)
    context.print(rendered(compiled, typed(data)))


def _warnings(info: dict[str, object]) -> list[str]:
    warnings = info.get("Warnings")
    return [str(warning) for warning in warnings] if isinstance(warnings, list) else []


def _client_text(context_name: str, debug: bool) -> str:
    return f"Client:\n Version:    {__version__}\n Context:    {context_name}\n Debug Mode: {str(debug).lower()}\n"


COMMAND = Command(
    "[OPTIONS]",
    run,
    rule=none,
    flags=(text("format", INSPECT_FORMAT_USAGE, "f"),),
    examples="windlass info --format '{{.CgroupVersion}}'",
)
