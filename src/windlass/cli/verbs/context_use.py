"""`context use`: talk to that engine from now on."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.contexts.chosen import choose
from windlass.cli.contexts.store import DEFAULT, Store, check_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

HOST_OVERRIDES = (
    'Warning: {variable} environment variable overrides the active context. To use "{name}", either set the global '
    "--context flag, or unset {variable} environment variable."
)


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Write the choice to config.json, where Docker's command line finds it too."""
    name = arguments[0]
    if name != DEFAULT:
        check_name(name)
        Store(context.config_dir).get(name)
    choose(context.config_dir, "" if name == DEFAULT else name)
    context.print(name)
    context.warn(f'Current context is now "{name}"')
    variable = context.host.variable
    if variable and name != DEFAULT:
        context.warn(HOST_OVERRIDES.format(variable=variable, name=name))
    return 0


COMMAND = Command("CONTEXT", run, rule=exactly(1), needs_engine=False, examples="windlass context use default")
