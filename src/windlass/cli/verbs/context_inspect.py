"""`context inspect`: what is kept under a name."""

from __future__ import annotations

from windlass.cli.command import Command, anything
from windlass.cli.contexts.store import DEFAULT, Store
from windlass.cli.flags import text
from windlass.cli.inspecting import inspect
from windlass.cli.listing import INSPECT_FORMAT_USAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

IN_MEMORY = "<IN MEMORY>"


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Print each context, the one in use when none is named."""
    names = arguments or [context.host.context_name]
    return inspect(context, names, values.text("format"), lambda name: _details(context, name))


def _details(context: Context, name: str) -> dict[str, object]:
    if name == DEFAULT:
        endpoint = {"Host": context.host.default_host, "SkipTLSVerify": False}
        storage = {"MetadataPath": IN_MEMORY, "TLSPath": IN_MEMORY}
        return {
            "Name": name,
            "Metadata": {},
            "Endpoints": {"docker": endpoint},
            "TLSMaterial": {},
            "Storage": storage,
        }
    stored = Store(context.config_dir).get(name)
    tls = stored.tls_names()
    return {
        **stored.meta,
        "TLSMaterial": {"docker": tls} if tls else {},
        "Storage": {"MetadataPath": stored.meta_dir, "TLSPath": stored.tls_dir},
    }


COMMAND = Command(
    "[OPTIONS] [CONTEXT] [CONTEXT...]",
    run,
    rule=anything,
    needs_engine=False,
    flags=(text("format", INSPECT_FORMAT_USAGE, "f"),),
)
