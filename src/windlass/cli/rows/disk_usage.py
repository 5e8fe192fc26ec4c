"""Rows of `system df`: how much of each kind there is, and what could be won."""

from __future__ import annotations

from windlass.cli.rows.row import Row
from windlass.cli.units import human_size

COLUMNS = ("Type", "TotalCount", "Active", "Size", "Reclaimable")
Objects = list[dict[str, object]]


class UsageRow(Row):
    """One kind of object; `data` holds the finished numbers."""

    TYPE_NAME = "*formatter.diskUsageContext"
    ID_FIELD = "Type"
    __slots__ = ()


def _number(item: dict[str, object], name: str) -> int:
    value = item.get(name)
    return value if isinstance(value, int) else 0


def _row(kind: str, total: int, active: int, size: int, reclaimable: int, *, percent: bool) -> UsageRow:
    share = f" ({reclaimable * 100 // size}%)" if percent and size > 0 else ""
    return UsageRow(
        {
            "Type": kind,
            "TotalCount": str(total),
            "Active": str(active),
            "Size": human_size(size),
            "Reclaimable": human_size(reclaimable) + share,
        }
    )


def image_usage(images: Objects, layers_size: int) -> UsageRow:
    """Images: what no container uses could be won, shared layers not counted."""
    active = [item for item in images if _number(item, "Containers") > 0]
    used = sum(_number(item, "Size") - max(0, _number(item, "SharedSize")) for item in active)
    return _row("Images", len(images), len(active), layers_size, max(0, layers_size - used), percent=True)


def container_usage(containers: Objects) -> UsageRow:
    """Containers: what those that do not run have written could be won."""
    running = [item for item in containers if item.get("State") in ("running", "paused", "restarting")]
    size = sum(_number(item, "SizeRw") for item in containers)
    idle = size - sum(_number(item, "SizeRw") for item in running)
    return _row("Containers", len(containers), len(running), size, idle, percent=True)


def volume_usage(volumes: Objects) -> UsageRow:
    """Volumes: those nothing refers to could be won."""
    usages = [usage for item in volumes if isinstance(usage := item.get("UsageData"), dict)]
    active = sum(_number(usage, "RefCount") > 0 for usage in usages)
    size = sum(max(0, _number(usage, "Size")) for usage in usages)
    idle = sum(max(0, _number(usage, "Size")) for usage in usages if not _number(usage, "RefCount"))
    return _row("Local Volumes", len(volumes), active, size, idle, percent=True)


def cache_usage(records: Objects) -> UsageRow:
    """Build cache: what is neither in use nor shared could be won."""
    size = sum(_number(item, "Size") for item in records if not item.get("Shared"))
    used = sum(_number(item, "Size") for item in records if item.get("InUse") and not item.get("Shared"))
    active = sum(bool(item.get("InUse")) for item in records)
    return _row("Build Cache", len(records), active, size, size - used, percent=False)


UsageRow.FIELDS = {
    "Type": ("TYPE", lambda row: row.data["Type"]),
    "TotalCount": ("TOTAL", lambda row: row.data["TotalCount"]),
    "Active": ("ACTIVE", lambda row: row.data["Active"]),
    "Size": ("SIZE", lambda row: row.data["Size"]),
    "Reclaimable": ("RECLAIMABLE", lambda row: row.data["Reclaimable"]),
}
