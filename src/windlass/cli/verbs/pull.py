"""`pull`: an image from a registry."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.errors import CliError
from windlass.cli.flags import switch, text
from windlass.cli.pulling import pull_image
from windlass.cli.reference import parse_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Pull the image and print its name in full."""
    try:
        reference = parse_reference(arguments[0])
    except ValueError as error:
        raise CliError(str(error)) from None
    every, quiet = values.on("all-tags"), values.on("quiet")
    if every and (reference.tag or reference.digest):
        raise CliError("tag can't be used with --all-tags/-a")
    if not every:
        if not reference.tag and not reference.digest and not quiet:
            context.print("Using default tag: latest")
        reference = reference.with_default_tag()
    pull_image(context, reference, platform=values.text("platform"), quiet=quiet)
    separator = "@" if reference.digest else ":"
    suffix = f"{separator}{reference.digest or reference.tag}" if reference.digest or reference.tag else ""
    context.print(f"{reference.name}{suffix}")
    return 0


COMMAND = Command(
    "[OPTIONS] NAME[:TAG|@DIGEST]",
    run,
    rule=exactly(1),
    flags=(
        switch("all-tags", "Download all tagged images in the repository", "a"),
        switch("disable-content-trust", "Skip image verification", default=True),
        text("platform", "Set platform if server is multi-platform capable"),
        switch("quiet", "Suppress verbose output", "q"),
    ),
    examples="windlass pull registry.example.com/team/app:1.2",
)
