"""Rows of `ps`."""

from __future__ import annotations

from windlass.cli.gotext import quoted
from windlass.cli.rows.moments import ago, local_text
from windlass.cli.rows.ports import displayed_ports
from windlass.cli.rows.row import Row, label_text, label_value, short_id, shortened
from windlass.cli.units import human_size

COMMAND_COLUMNS = 20
MOUNT_COLUMNS = 15
SIZE_DIGITS = 3
COLUMNS = ("ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names")


class ContainerRow(Row):
    """One container of `GET /containers/json`."""

    TYPE_NAME = "*formatter.ContainerContext"
    __slots__ = ()

    def entries(self, name: str) -> list[dict[str, object]]:
        """A field that is a list of objects."""
        value = self.data.get(name)
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

    def number(self, name: str) -> int:
        """A field that is a number, 0 when missing."""
        value = self.data.get(name)
        return value if isinstance(value, int) else 0


def _id(row: ContainerRow) -> str:
    return short_id(row.data["Id"]) if row.trunc else str(row.data["Id"])


def _names(row: ContainerRow) -> str:
    value = row.data.get("Names")
    names = [str(name).removeprefix("/") for name in value] if isinstance(value, list) else []
    return ",".join(name for name in names if not row.trunc or "/" not in name)


def _image(row: ContainerRow) -> str:
    image = str(row.data.get("Image") or "")
    if not image:
        return "<no image>"
    if not row.trunc:
        return image
    short = short_id(row.data.get("ImageID") or "")
    if short and short == short_id(image):
        return short
    return image.partition("@")[0]


def _command(row: ContainerRow) -> str:
    command = str(row.data.get("Command") or "")
    return quoted(shortened(command, COMMAND_COLUMNS) if row.trunc else command)


def _size(row: ContainerRow) -> str:
    size = human_size(row.number("SizeRw"), SIZE_DIGITS)
    whole = row.number("SizeRootFs")
    return f"{size} (virtual {human_size(whole, SIZE_DIGITS)})" if whole > 0 else size


def _mounts(row: ContainerRow) -> str:
    names = [str(mount.get("Name") or mount.get("Source") or "") for mount in row.entries("Mounts")]
    return ",".join(shortened(name, MOUNT_COLUMNS) if row.trunc else name for name in names)


def _local_volumes(row: ContainerRow) -> str:
    return str(sum(mount.get("Driver") == "local" for mount in row.entries("Mounts")))


def _networks(row: ContainerRow) -> str:
    settings = row.data.get("NetworkSettings")
    networks = settings.get("Networks") if isinstance(settings, dict) else None
    return ",".join(sorted(networks)) if isinstance(networks, dict) else ""


ContainerRow.FIELDS = {
    "ID": ("CONTAINER ID", _id),
    "Image": ("IMAGE", _image),
    "Command": ("COMMAND", _command),
    "CreatedAt": ("CREATED AT", lambda row: local_text(row.number("Created"))),
    "RunningFor": ("CREATED", lambda row: ago(row.number("Created"))),
    "Status": ("STATUS", lambda row: row.data.get("Status") or ""),
    "State": ("STATE", lambda row: row.data.get("State") or ""),
    "Ports": ("PORTS", lambda row: displayed_ports(row.entries("Ports"))),
    "Names": ("NAMES", _names),
    "Size": ("SIZE", _size),
    "Labels": ("LABELS", lambda row: label_text(row.data.get("Labels"))),
    "Mounts": ("MOUNTS", _mounts),
    "LocalVolumes": ("LOCAL VOLUMES", _local_volumes),
    "Networks": ("NETWORKS", _networks),
    "Platform": ("PLATFORM", lambda row: row.data.get("Platform")),
}
ContainerRow.METHODS = {"Label": ("", label_value)}
