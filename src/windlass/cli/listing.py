"""Showing rows: as a table, as JSON, through a template, as ids alone.

Source: https://docs.docker.com/engine/cli/formatting/
"""

from __future__ import annotations

from windlass.cli.errors import EXIT_FAILURE, EXIT_TEMPLATE, CliError
from windlass.cli.table import aligned, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windlass.cli.context import Context
    from windlass.cli.gotemplate import Template
    from windlass.cli.rows.row import Row

TABLE, JSON = "table", "json"
_ESCAPES = (("\\t", "\t"), ("\\n", "\n"))

FORMAT_USAGE = """Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates"""

INSPECT_FORMAT_USAGE = """Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates"""


def show(
    context: Context,
    rows: Sequence[Row],
    kind: type[Row],
    columns: Sequence[str],
    template: str = "",
    *,
    quiet: bool = False,
) -> None:
    """Print rows. `kind` is their class, `columns` the default table's, `template` the value of `--format`.

    Raises CliError for a template that is malformed or does not suit the rows.
    """
    context.out(listing(rows, kind, columns, template, quiet=quiet))


def listing(
    rows: Sequence[Row], kind: type[Row], columns: Sequence[str], template: str = "", *, quiet: bool = False
) -> str:
    """Return what `show` prints."""
    if quiet and template in ("", TABLE):
        return "".join(f"{row.text(kind.ID_FIELD)}\n" for row in rows)
    if template in ("", TABLE):
        return table([kind.header(name) for name in columns], [[row.text(name) for name in columns] for row in rows])
    if template == JSON:
        return "".join(row.json() + "\n" for row in rows)
    return _templated(rows, kind, template)


def _templated(rows: Sequence[Row], kind: type[Row], template: str) -> str:
    as_table = template.startswith(TABLE)
    source = template.removeprefix(TABLE).strip(" ")
    for escape, character in _ESCAPES:
        source = source.replace(escape, character)
    compiled = compile_template(source, status=EXIT_FAILURE)
    body = "".join(rendered(compiled, row) + "\n" for row in rows)
    if not as_table:
        return body
    from windlass.cli.rows.row import HeaderRow

    head = rendered(compile_template(source, header_functions()), HeaderRow(kind))
    return aligned(f"{head}\n{body}")


def compile_template(
    source: str, functions: dict[str, Callable[..., object]] | None = None, status: int = EXIT_TEMPLATE
) -> Template:
    """Parse a template; raises CliError with `status`, which is another for listings than for single values."""
    from windlass.cli.gotemplate import ParseError, Template

    try:
        return Template(source, functions=functions)
    except ParseError as error:
        raise CliError(f"template parsing error: {error}", status) from None


def rendered(template: Template, data: object) -> str:
    """Run a template over a row; raises CliError."""
    from windlass.cli.gotemplate import ExecutionError

    try:
        return template.render(data)
    except ExecutionError as error:
        raise CliError(f"failed to execute template: {error}") from None


def header_functions() -> dict[str, Callable[..., object]]:
    """Functions that leave a header as it is, whatever they do to a value."""

    def first(value: object, *_rest: object) -> object:
        return value

    names = ("json", "title", "lower", "upper", "truncate", "split", "join", "pad")
    return dict.fromkeys(names, first)
