"""`images`: list images."""

from __future__ import annotations

from windlass.cli.command import Command, at_most
from windlass.cli.filters import filter_flag, filters_query
from windlass.cli.flags import switch, text
from windlass.cli.listing import FORMAT_USAGE, show
from windlass.cli.rows.image import COLUMNS, DIGEST_COLUMNS, ImageRow, image_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """List the images, or those of one repository."""
    filters = values.items("filter") + [("reference", name) for name in arguments]
    query = filters_query(filters)
    if values.on("all"):
        query["all"] = "1"
    template, quiet, digests = values.text("format"), values.on("quiet"), values.on("digests")
    if not template and not quiet:
        template = context.config.text("imagesFormat")
    images = context.engine.call("GET", "/images/json", query)
    rows = image_rows(
        images if isinstance(images, list) else [],
        trunc=not values.on("no-trunc"),
        digests=digests or ".Digest" in template,
    )
    if quiet and not template:
        context.out("".join(f"{line}\n" for line in dict.fromkeys(row.text("ID") for row in rows)))
        return 0
    show(context, rows, ImageRow, DIGEST_COLUMNS if digests else COLUMNS, template, quiet=quiet)
    return 0


COMMAND = Command(
    "[OPTIONS] [REPOSITORY[:TAG]]",
    run,
    rule=at_most(1),
    flags=(
        switch("all", "Show all images (default hides intermediate images)", "a"),
        switch("digests", "Show digests"),
        filter_flag(),
        text("format", FORMAT_USAGE),
        switch("no-trunc", "Don't truncate output"),
        switch("quiet", "Only show image IDs", "q"),
    ),
    examples="""
windlass images
windlass images --format '{{.Repository}}:{{.Tag}} {{.Size}}'
""",
)
