"""`images --tree`: every image with the platforms it holds."""

from __future__ import annotations

from windlass.cli.rows.row import short_id
from windlass.cli.units import human_size

Image = dict[str, object]
SIZE_DIGITS = 3
MIN_NAME_WIDTH = 24
ID_WIDTH, DISK_WIDTH, CONTENT_WIDTH = 15, 10, 12
BRANCH, LAST_BRANCH = "├─ ", "└─ "
UNTAGGED = "<untagged>"
LEGEND = "Info ->  U In Use"
LEGEND_COLUMNS = 79


class _Line:
    __slots__ = ("content", "disk", "identity", "in_use", "name")

    def __init__(self, name: str, identity: str, disk: int, content: int, *, in_use: bool) -> None:
        self.name = name
        self.identity = identity
        self.disk = disk
        self.content = content
        self.in_use = in_use


def tree(images: list[Image]) -> str:
    """Return the tree: names, then one branch for each platform; images are set apart by a blank line."""
    blocks = [_block(image) for image in images]
    width = max([MIN_NAME_WIDTH, *(len(line.name) + 3 for _, lines in blocks for line in lines)])
    head = (
        f"{LEGEND:>{LEGEND_COLUMNS}}\n\n{'IMAGE':<{width}}{'ID':<{ID_WIDTH}}"
        f"{'DISK USAGE':<{DISK_WIDTH + 3}}{'CONTENT SIZE':<{CONTENT_WIDTH + 3}}EXTRA\n"
    )
    texts = []
    for others, lines in blocks:
        shown = "".join(f"{name}\n" for name in others) + "".join(_shown(line, width) for line in lines)
        texts.append(shown + ("\n" if len(lines) > 1 else ""))
    return head + "".join(texts)


def _block(image: Image) -> tuple[list[str], list[_Line]]:
    """Return the names that stand alone on their lines, and the line of the last name with its branches."""
    tags = image.get("RepoTags")
    *others, last = [str(tag) for tag in tags] if isinstance(tags, list) and tags else [UNTAGGED]
    manifests = image.get("Manifests")
    platforms = [
        manifest
        for manifest in (manifests if isinstance(manifests, list) else [])
        if isinstance(manifest, dict) and manifest.get("Kind") == "image"
    ]
    branches = [_branch(manifest, last=manifest is platforms[-1]) for manifest in platforms]
    size = image.get("Size")
    line = _Line(
        last,
        short_id(image["Id"]),
        size if isinstance(size, int) else 0,
        sum(branch.content for branch in branches),
        in_use=any(branch.in_use for branch in branches),
    )
    return others, [line, *branches]


def _branch(manifest: Image, *, last: bool) -> _Line:
    sizes, data = manifest.get("Size"), manifest.get("ImageData")
    sizes = sizes if isinstance(sizes, dict) else {}
    data = data if isinstance(data, dict) else {}
    platform = data.get("Platform") or {}
    name = "/".join(str(platform[part]) for part in ("os", "architecture", "variant") if platform.get(part))
    return _Line(
        (LAST_BRANCH if last else BRANCH) + name,
        short_id(manifest.get("ID", "")),
        int(sizes.get("Total", 0)),
        int(sizes.get("Content", 0)),
        in_use=bool(data.get("Containers")),
    )


def _shown(line: _Line, width: int) -> str:
    disk, content = human_size(line.disk, SIZE_DIGITS), human_size(line.content, SIZE_DIGITS)
    extra = "U" if line.in_use else " "
    return (
        f"{line.name:<{width}}{line.identity:<{ID_WIDTH}}{disk:>{DISK_WIDTH}}   {content:>{CONTENT_WIDTH}}   {extra}\n"
    )
