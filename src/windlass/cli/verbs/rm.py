"""`rm`: remove containers."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.each import for_each
from windlass.cli.flags import switch
from windlass.client.errors import ApiError
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values
    from windlass.client.engine import Engine

NOT_FOUND = 404


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Remove every container; with --force a missing one is no failure."""
    force = values.on("force")
    query = {
        name: "1"
        for name, wanted in (("force", force), ("link", values.on("link")), ("v", values.on("volumes")))
        if wanted
    }
    missing: list[str] = []

    def remove(engine: Engine, name: str) -> str | None:
        try:
            engine.call("DELETE", f"/containers/{quote(name.strip('/'))}", query)
        except ApiError as error:
            if not force or error.status != NOT_FOUND:
                raise
            missing.append(str(error))
            return None
        return name

    status = for_each(context, arguments, remove, parallel=True)
    if missing:
        context.warn("\n".join(missing))
    return status


COMMAND = Command(
    "[OPTIONS] CONTAINER [CONTAINER...]",
    run,
    rule=at_least(1),
    flags=(
        switch("force", "Force the removal of a running container (uses SIGKILL)", "f"),
        switch("link", "Remove the specified link", "l"),
        switch("volumes", "Remove anonymous volumes associated with the container", "v"),
    ),
    examples="windlass rm -f web",
)
