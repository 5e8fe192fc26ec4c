"""`create`: a container, made and not started."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.create.flags import CREATE_FLAGS, pull_flag
from windlass.cli.errors import EXIT_ENGINE, CliError, with_help
from windlass.cli.launching import create_container, request_body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Create the container and print its id."""
    try:
        body = request_body(context, values, arguments)
    except CliError as error:
        raise CliError(with_help(error.message, context.path), EXIT_ENGINE) from None
    context.print(create_container(context, values, body))
    return 0


COMMAND = Command(
    "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    run,
    flags=(*CREATE_FLAGS, pull_flag("creating")),
    rule=at_least(1),
    interspersed=False,
    examples="""
windlass create --name web -p 8080:80 nginx
windlass start web
""",
)
