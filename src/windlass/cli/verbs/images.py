"""`images`: list images."""

from __future__ import annotations

from windlass.cli.command import Command, at_most
from windlass.cli.errors import CliError
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
    if values.on("tree"):
        return _show_tree(context, values, query)
    template, quiet, digests = values.text("format"), values.on("quiet"), values.on("digests")
    if not template and not quiet:
        template = context.config.text("imagesFormat")
    images = context.engine.call("GET", "/images/json", query)
    rows = image_rows(
        images if isinstance(images, list) else [],
        trunc=not values.on("no-trunc"),
        digests=digests or ".Digest" in template,
    )
    show(context, rows, ImageRow, DIGEST_COLUMNS if digests else COLUMNS, template, quiet=quiet)
    return 0


def _show_tree(context: Context, values: Values, query: dict[str, str]) -> int:
    for name, shown in (("quiet", "quiet"), ("no-trunc", "no-trunc"), ("digests", "show-digest"), ("format", "format")):
        if values.given(name):
            raise CliError(f"--{shown} is not yet supported with --tree")
    images = context.engine.call("GET", "/images/json", {**query, "manifests": "1"})
    from windlass.cli.rows.image_tree import tree

    context.warn("WARNING: This is an experimental feature. The output may change and shouldn't be depended on.")
    context.out(tree([image for image in images if isinstance(image, dict)] if isinstance(images, list) else []))
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
        switch("tree", "List multi-platform images as a tree (EXPERIMENTAL)"),
    ),
    examples="""
windlass images
windlass images --format '{{.Repository}}:{{.Tag}} {{.Size}}'
""",
)
