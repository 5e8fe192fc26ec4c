"""`context create`: keep the address of an engine under a name."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.contexts import settings
from windlass.cli.contexts.store import DEFAULT, Store, check_name, new_meta
from windlass.cli.errors import CliError
from windlass.cli.flags import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

DEFAULT_DESCRIPTION = "Current DOCKER_HOST based configuration"


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Create the context and print its name."""
    name, store = arguments[0], Store(context.config_dir)
    check_name(name)
    if store.exists(name):
        raise CliError(f'context "{name}" already exists')
    description = values.text("description")
    found = settings.settings(values.items("docker"))
    source = values.text("from") or found.get("from", "")
    if source and source != DEFAULT:
        origin = store.get(source)
        description = description or origin.description
        host, skip, tls = settings.endpoint({"from": source}, store)
    elif found and not source:
        host, skip, tls = settings.endpoint(found, store)
    else:
        host, skip, tls = context.host.default_host, False, {}
        description = description or DEFAULT_DESCRIPTION
    store.put(new_meta(name, description, host, skip), tls)
    context.print(name)
    context.warn(f'Successfully created context "{name}"')
    return 0


COMMAND = Command(
    "[OPTIONS] CONTEXT",
    run,
    rule=exactly(1),
    needs_engine=False,
    flags=(
        text("description", "Description of the context"),
        settings.docker_flag(),
        text("from", "create context from a named context"),
    ),
    about="Create a context\n" + settings.ABOUT % "create",
)
