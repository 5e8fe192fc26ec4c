"""Low-level information on named objects, as JSON or through a template."""

from __future__ import annotations

from windlass.cli.errors import CliError, Quit
from windlass.cli.listing import JSON, compile_template
from windlass.client.errors import CannotConnect, ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.cli.context import Context

    Fetch = Callable[[str], object]


def inspect(context: Context, names: list[str], template: str, fetch: Fetch) -> int:
    """Print what `fetch` returns for every name; failures go to stderr after the rest and make the exit code 1."""
    compiled = compile_template("{{json .}}" if template == JSON else template) if template else None
    found: list[object] = []
    failures: list[str] = []
    for name in names:
        try:
            found.append(fetch(name))
        except CannotConnect:
            raise
        except (ClientError, CliError) as error:
            failures.append(str(error))
    if compiled is None:
        context.out(indented(found))
    elif template == JSON:
        from windlass.client.json_text import dumps

        context.print(dumps(found))
    else:
        from windlass.cli.gotemplate import ExecutionError
        from windlass.cli.gotemplate.values import typed

        for item in found:
            try:
                context.print(compiled.render(typed(item)))
            except ExecutionError as error:
                context.print("")
                failures.insert(0, f"template parsing error: {error}")
                break
    if failures:
        context.warn("\n".join(failures))
        raise Quit(1)
    return 0


def indented(value: object) -> str:
    """Return JSON text indented by four, as the engine's own tools print it."""
    import json

    from windlass.cli.rows.row import html_safe

    return html_safe(json.dumps(value, indent=4, ensure_ascii=False)) + "\n"
