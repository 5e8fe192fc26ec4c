"""Rows of `context ls`."""

from __future__ import annotations

from windlass.cli.rows.row import Row, shortened

DESCRIPTION_COLUMNS = 60
ERROR_COLUMNS = 45
COLUMNS = ("Name", "Description", "DockerEndpoint", "Error")


class ContextRow(Row):
    """One context; `data` has the fields as they are shown."""

    ID_FIELD = "Bare"
    TYPE_NAME = "*formatter.clientContextContext"
    __slots__ = ()

    def text(self, name: str) -> str:
        """Return a field as the table shows it: the name of the context in use is marked."""
        if name == "Bare":
            return str(self.data["Name"])
        mark = " *" if name == "Name" and self.data["Current"] else ""
        return f"{super().text(name)}{mark}"


ContextRow.FIELDS = {
    "Name": ("NAME", lambda row: row.data["Name"]),
    "Current": ("CURRENT", lambda row: row.data["Current"]),
    "Description": ("DESCRIPTION", lambda row: shortened(row.data["Description"], DESCRIPTION_COLUMNS)),
    "DockerEndpoint": ("DOCKER ENDPOINT", lambda row: row.data["DockerEndpoint"]),
    "Error": ("ERROR", lambda row: shortened(row.data["Error"].replace("\n", " "), ERROR_COLUMNS)),
}
