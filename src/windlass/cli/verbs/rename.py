"""`rename`: give a container another name."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.errors import CliError
from windlass.client.errors import ApiError
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Rename the container."""
    old, new = (word.strip() for word in arguments)
    if not old or not new:
        raise CliError("Error: Neither old nor new names may be empty")
    try:
        context.engine.call("POST", f"/containers/{quote(old)}/rename", {"name": new})
    except ApiError as error:
        raise CliError(f"{error}\nError: failed to rename container named {old}") from None
    return 0


COMMAND = Command("CONTAINER NEW_NAME", run, rule=exactly(2), examples="windlass rename web web-old")
