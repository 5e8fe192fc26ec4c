"""`import`: a root filesystem from a tar archive, as an image."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.context import STDOUT
from windlass.cli.errors import CliError
from windlass.cli.flags import listing, text
from windlass.cli.progress import show_progress
from windlass.cli.reference import parse_reference
from windlass.cli.transfer import file_pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

_REMOTE = ("http://", "https://")


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Send the archive, or its address, and print the image's id."""
    source = arguments[0]
    remote = source.startswith(_REMOTE)
    query: dict[str, str | list[str]] = {"fromSrc": source if remote else "-"}
    if len(arguments) > 1:
        query["repo"] = _checked(arguments[1])
    for flag, name in (("message", "message"), ("platform", "platform")):
        if values.text(flag):
            query[name] = values.text(flag)
    if values.given("change"):
        query["changes"] = values.texts("change")
    if remote:
        answer = context.engine.stream("POST", "/images/create", query)
    else:
        answer = context.engine.stream(
            "POST", "/images/create", query, headers={"Content-Type": "text/plain"}, upload=file_pieces(source)
        )
    show_progress(answer.lines(), STDOUT)
    return 0


def _checked(name: str) -> str:
    try:
        parse_reference(name)
    except ValueError as error:
        raise CliError(str(error)) from None
    return name


COMMAND = Command(
    "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
    run,
    rule=at_least(1),
    flags=(
        listing("change", "Apply Dockerfile instruction to the created image", "c"),
        text("message", "Set commit message for imported image", "m"),
        text("platform", "Set platform if server is multi-platform capable"),
    ),
    examples="""
windlass import rootfs.tar.gz base:latest
tar -C rootfs -c . | windlass import -c 'CMD ["sh"]' - base:latest
""",
)
