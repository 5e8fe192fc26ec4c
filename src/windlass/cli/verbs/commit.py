"""`commit`: an image from what a container has changed."""

from __future__ import annotations

from windlass.cli.command import Command, between
from windlass.cli.errors import CliError
from windlass.cli.flags import listing, switch, text
from windlass.cli.reference import parse_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Create the image and print its id."""
    query: dict[str, str | list[str]] = {"container": arguments[0]}
    if len(arguments) > 1:
        query.update(_name(arguments[1]))
    if values.text("message"):
        query["comment"] = values.text("message")
    if values.text("author"):
        query["author"] = values.text("author")
    if values.given("change"):
        query["changes"] = values.texts("change")
    if not values.on("pause"):
        query["pause"] = "0"
    created = context.engine.call("POST", "/commit", query)
    assert isinstance(created, dict)
    context.print(str(created["Id"]))
    return 0


def _name(text: str) -> dict[str, str]:
    try:
        reference = parse_reference(text)
    except ValueError as error:
        raise CliError(str(error)) from None
    if reference.digest:
        raise CliError("cannot commit to digest reference")
    reference = reference.with_default_tag()
    return {"repo": reference.name, "tag": reference.tag}


COMMAND = Command(
    "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    run,
    rule=between(1, 2),
    flags=(
        text("author", 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', "a"),
        listing("change", "Apply Dockerfile instruction to the created image", "c"),
        text("message", "Commit message", "m"),
        switch("pause", "Pause container during commit", "p", default=True),
    ),
    examples="windlass commit -m 'with tools' web web:tools",
)
