"""`context export`: a context as a file."""

from __future__ import annotations

import os

from windlass.cli.command import Command, between
from windlass.cli.context import STDOUT, write_all
from windlass.cli.contexts.bundle import packed
from windlass.cli.contexts.store import Store, check_name
from windlass.cli.create.files import go_error
from windlass.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

SUFFIX = ".dockercontext"


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Write the tar, which holds the keys, to a new file that only its owner may read, or to stdout."""
    name = arguments[0]
    check_name(name)
    path = arguments[1] if len(arguments) > 1 else name + SUFFIX
    if path == "-" and os.isatty(STDOUT):
        raise CliError("cowardly refusing to export to a terminal, specify a file path")
    content = packed(Store(context.config_dir).get(name))
    if path == "-":
        write_all(STDOUT, content)
        return 0
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CliError(go_error("open", path, error)) from None
    try:
        write_all(fd, content)
    finally:
        os.close(fd)
    context.warn(f'Written file "{path}"')
    return 0


COMMAND = Command(
    "[OPTIONS] CONTEXT [FILE|-]",
    run,
    rule=between(1, 2),
    needs_engine=False,
    examples="windlass context export build - | ssh host windlass context import build -",
)
