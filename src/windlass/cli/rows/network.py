"""Rows of `network ls`."""

from __future__ import annotations

from windlass.cli.rows.moments import local_text, parse_rfc3339
from windlass.cli.rows.row import Row, label_text, label_value, short_id

COLUMNS = ("ID", "Name", "Driver", "Scope")


class NetworkRow(Row):
    """One network of `GET /networks`."""

    TYPE_NAME = "*network.networkContext"
    __slots__ = ()


def _created_at(row: Row) -> str:
    text = str(row.data.get("Created") or "0001-01-01T00:00:00Z")
    fraction = text[19:].partition("Z")[0].partition("+")[0].rstrip("0").rstrip(".")
    return local_text(int(parse_rfc3339(text)), fraction)


NetworkRow.FIELDS = {
    "ID": ("NETWORK ID", lambda row: short_id(row.data["Id"]) if row.trunc else row.data["Id"]),
    "Name": ("NAME", lambda row: row.data["Name"]),
    "Driver": ("DRIVER", lambda row: row.data["Driver"]),
    "Scope": ("SCOPE", lambda row: row.data["Scope"]),
    "IPv4": ("IPV4", lambda row: "true" if row.data.get("EnableIPv4") else "false"),
    "IPv6": ("IPV6", lambda row: "true" if row.data.get("EnableIPv6") else "false"),
    "Internal": ("INTERNAL", lambda row: "true" if row.data.get("Internal") else "false"),
    "Labels": ("LABELS", lambda row: label_text(row.data.get("Labels"))),
    "CreatedAt": ("CREATED AT", _created_at),
}
NetworkRow.METHODS = {"Label": ("", label_value)}
