"""`system df`: the disk space images, containers, volumes and the build cache take."""

from __future__ import annotations

from windlass.cli.command import Command, none
from windlass.cli.flags import switch, text
from windlass.cli.listing import FORMAT_USAGE, listing, show
from windlass.cli.rows.container import ContainerRow
from windlass.cli.rows.disk_usage import (
    COLUMNS,
    Objects,
    UsageRow,
    cache_usage,
    container_usage,
    image_usage,
    volume_usage,
)
from windlass.cli.rows.image import ImageRow, image_rows
from windlass.cli.rows.volume import VolumeRow
from windlass.cli.table import table
from windlass.cli.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

IMAGE_COLUMNS = ("Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize", "Containers")
CONTAINER_COLUMNS = ("ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names")
VOLUME_COLUMNS = ("Name", "Links", "Size")
CACHE_HEADERS = ["CACHE ID", "CACHE TYPE", "SIZE", "CREATED", "LAST USED", "USAGE", "SHARED"]
SHORT_CACHE_ID = 12


def run(context: Context, values: Values, _arguments: list[str]) -> int:
    """Print the totals, or everything in detail."""
    usage = context.engine.call("GET", "/system/df")
    assert isinstance(usage, dict)
    if values.on("verbose"):
        context.out(_details(usage))
        return 0
    layers_size = usage.get("LayersSize")
    rows = [
        image_usage(_objects(usage, "Images"), layers_size if isinstance(layers_size, int) else 0),
        container_usage(_objects(usage, "Containers")),
        volume_usage(_objects(usage, "Volumes")),
        cache_usage(_objects(usage, "BuildCache")),
    ]
    show(context, rows, UsageRow, COLUMNS, values.text("format"))
    return 0


def _objects(usage: dict[str, object], name: str) -> Objects:
    value = usage.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _details(usage: dict[str, object]) -> str:
    images = image_rows(list(_objects(usage, "Images")), trunc=True, digests=False)
    containers = [ContainerRow({**item, "SizeRootFs": 0}) for item in _objects(usage, "Containers")]
    volumes = [VolumeRow(item) for item in _objects(usage, "Volumes")]
    cache = _objects(usage, "BuildCache")
    total = sum(size for item in cache if isinstance(size := item.get("Size"), int) and not item.get("Shared"))
    rows = [_cache_cells(item) for item in cache]
    return (
        f"Images space usage:\n\n{listing(images, ImageRow, IMAGE_COLUMNS)}"
        f"\nContainers space usage:\n\n{listing(containers, ContainerRow, CONTAINER_COLUMNS)}"
        f"\nLocal Volumes space usage:\n\n{listing(volumes, VolumeRow, VOLUME_COLUMNS)}"
        f"\nBuild cache usage: {human_size(total)}\n\n{table(CACHE_HEADERS, rows)}"
    )


def _cache_cells(item: dict[str, object]) -> list[str]:
    from windlass.cli.rows.moments import ago, parse_rfc3339

    size, used = item.get("Size"), item.get("LastUsedAt")
    return [
        str(item.get("ID", ""))[:SHORT_CACHE_ID],
        str(item.get("Type", "")),
        human_size(size if isinstance(size, int) else 0),
        ago(parse_rfc3339(str(item["CreatedAt"]))),
        ago(parse_rfc3339(str(used))) if used else "",
        str(item.get("UsageCount", 0)),
        str(bool(item.get("Shared"))).lower(),
    ]


COMMAND = Command(
    "[OPTIONS]",
    run,
    rule=none,
    flags=(
        text("format", FORMAT_USAGE),
        switch("verbose", "Show detailed information on space usage", "v"),
    ),
    examples="windlass system df -v",
)
