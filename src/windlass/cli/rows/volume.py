"""Rows of `volume ls`."""

from __future__ import annotations

from windlass.cli.rows.row import Row, label_text, label_value
from windlass.cli.units import human_size

NOT_AVAILABLE = "N/A"
COLUMNS = ("Driver", "Name")


class VolumeRow(Row):
    """One volume of `GET /volumes` or `/system/df`."""

    TYPE_NAME = "*formatter.volumeContext"
    ID_FIELD = "Name"
    __slots__ = ()

    def usage(self, name: str) -> int:
        """One number of the usage data, -1 when the engine gave none."""
        usage = self.data.get("UsageData")
        value = usage.get(name) if isinstance(usage, dict) else None
        return value if isinstance(value, int) else -1


def _links(row: VolumeRow) -> str:
    return NOT_AVAILABLE if row.usage("RefCount") < 0 else str(row.usage("RefCount"))


def _size(row: VolumeRow) -> str:
    return NOT_AVAILABLE if row.usage("Size") < 0 else human_size(row.usage("Size"))


VolumeRow.FIELDS = {
    "Name": ("VOLUME NAME", lambda row: row.data["Name"]),
    "Driver": ("DRIVER", lambda row: row.data["Driver"]),
    "Scope": ("SCOPE", lambda row: row.data["Scope"]),
    "Mountpoint": ("MOUNTPOINT", lambda row: row.data["Mountpoint"]),
    "Labels": ("LABELS", lambda row: label_text(row.data.get("Labels"))),
    "Links": ("LINKS", _links),
    "Size": ("SIZE", _size),
    "Status": ("STATUS", lambda _row: NOT_AVAILABLE),
    "Group": ("GROUP", lambda _row: NOT_AVAILABLE),
    "Availability": ("AVAILABILITY", lambda _row: NOT_AVAILABLE),
}
VolumeRow.METHODS = {"Label": ("", label_value)}
