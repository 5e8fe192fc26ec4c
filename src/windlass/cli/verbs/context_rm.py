"""`context rm`: forget contexts."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.contexts.chosen import choose
from windlass.cli.contexts.store import DEFAULT, Store
from windlass.cli.errors import CliError
from windlass.cli.flags import switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Remove each context and print its name; the one in use only with `--force`."""
    failures = []
    for name in arguments:
        try:
            _remove(context, name, force=values.on("force"))
        except CliError as error:
            failures.append(error.message)
        else:
            context.print(name)
    if failures:
        raise CliError("\n".join(failures))
    return 0


def _remove(context: Context, name: str, *, force: bool) -> None:
    store = Store(context.config_dir)
    if name == DEFAULT:
        raise CliError('context "default" cannot be removed')
    if force and not store.exists(name):
        return
    if not store.exists(name):
        raise CliError(f'context "{name}" does not exist')
    if name == context.host.context_name:
        if not force:
            raise CliError(f'context "{name}" is in use, set -f flag to force remove')
        choose(context.config_dir, "")
    store.remove(name)


COMMAND = Command(
    "CONTEXT [CONTEXT...]",
    run,
    rule=at_least(1),
    needs_engine=False,
    flags=(switch("force", "Force the removal of a context in use", "f"),),
)
