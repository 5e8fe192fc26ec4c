"""`context import`: a context from a file."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.contexts.bundle import MAX_BUNDLE_BYTES, unpacked
from windlass.cli.contexts.store import Store, check_name
from windlass.cli.errors import CliError
from windlass.cli.transfer import file_pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Keep what the tar or zip says under the name given here."""
    name, path = arguments
    store = Store(context.config_dir)
    check_name(name)
    if store.exists(name):
        raise CliError(f'context "{name}" already exists')
    raw = b""
    for piece in file_pieces(path):
        raw += piece
        if len(raw) > MAX_BUNDLE_BYTES:
            raise CliError(f"invalid context: larger than {MAX_BUNDLE_BYTES} bytes")
    meta, tls = unpacked(raw)
    store.put({**meta, "Name": name}, tls)
    context.print(name)
    context.warn(f'Successfully imported context "{name}"')
    return 0


COMMAND = Command("CONTEXT FILE|-", run, rule=exactly(2), needs_engine=False)
