"""`__complete`: what the last word of a command line could become; the shells' scripts call it.

Printed as cobra's programs print it: a candidate a line, a tab and a description, and last `:` with what to do.
"""

from __future__ import annotations

import os

from windlass.cli.command import Command, anything
from windlass.cli.completing.candidates import complete
from windlass.cli.completing.names import Names
from windlass.cli.contexts.store import DEFAULT
from windlass.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Print the candidates for the last word."""
    from windlass.cli.main import GLOBAL_FLAGS

    def names_of(options: Values) -> Names:
        from windlass.cli.host import choose_host

        config_dir = options.text("config") or context.config_dir
        chosen = any(options.given(name) for name in ("host", "context", "config"))
        found = chosen or context.host.context_name != DEFAULT
        try:
            host = choose_host(options, os.environ, config_dir) if found else context.host
        except CliError:
            return Names(None, config_dir)
        return Names(host, config_dir)

    found = complete(arguments, GLOBAL_FLAGS, names_of)
    for word, about in found.words:
        context.print(f"{word}\t{about}" if about else word)
    context.print(f":{found.directive}")
    return 0


COMMAND = Command("[WORD...]", run, rule=anything, passes_flags=True, needs_engine=False)
