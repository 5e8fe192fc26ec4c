"""`tag`: give an image another name."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.errors import CliError
from windlass.cli.gotext import quoted
from windlass.cli.reference import parse_reference
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Create the tag."""
    source, target = arguments
    try:
        reference = parse_reference(target)
    except ValueError as error:
        raise CliError(f"Error parsing reference: {quoted(target)} is not a valid repository/tag: {error}") from None
    if reference.digest:
        raise CliError("refusing to create a tag with a digest reference")
    reference = reference.with_default_tag()
    context.engine.call("POST", f"/images/{quote(source)}/tag", {"repo": reference.name, "tag": reference.tag})
    return 0


COMMAND = Command(
    "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    run,
    rule=exactly(2),
    examples="windlass tag app registry.example.com/team/app:1.2",
)
