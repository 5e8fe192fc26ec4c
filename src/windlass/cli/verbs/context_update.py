"""`context update`: change what is kept under a name."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.contexts import settings
from windlass.cli.contexts.store import Store, check_name
from windlass.cli.flags import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Change the description, the engine, or both, and print the name."""
    name, store = arguments[0], Store(context.config_dir)
    check_name(name)
    stored = store.get(name)
    meta, tls = dict(stored.meta), None
    if values.given("description"):
        about = meta.get("Metadata")
        kept = dict(about) if isinstance(about, dict) else {}
        meta["Metadata"] = {**kept, "Description": values.text("description")}
    found = settings.settings(values.items("docker"))
    if found:
        host, skip, tls = settings.endpoint(found, store)
        endpoints = meta.get("Endpoints")
        kept = dict(endpoints) if isinstance(endpoints, dict) else {}
        meta["Endpoints"] = {**kept, "docker": {"Host": host, "SkipTLSVerify": skip}}
    store.put(meta, tls)
    context.print(name)
    context.warn(f'Successfully updated context "{name}"')
    return 0


COMMAND = Command(
    "[OPTIONS] CONTEXT",
    run,
    rule=exactly(1),
    needs_engine=False,
    flags=(text("description", "Description of the context"), settings.docker_flag()),
    about="Update a context\n" + settings.ABOUT % "update",
)
