"""Rows of `ns`: a container's namespaces, or its processes."""

from __future__ import annotations

from windlass.cli.rows.row import Row, short_id

NAMESPACE_COLUMNS = ("Container", "Name", "PID", "Type", "Namespace", "Processes", "Shared")
PROCESS_COLUMNS = ("Container", "Name", "PID", "InnerPID", "UID", "Command")


class _ContainerRow(Row):
    """One line about a container of `GET /windlass/namespaces`; `part` is what the line is about."""

    ID_FIELD = "PID"
    __slots__ = ("part",)

    def __init__(self, data: dict[str, object], part: dict[str, object], *, trunc: bool = True) -> None:
        super().__init__(data, trunc=trunc)
        self.part = part


class NamespaceRow(_ContainerRow):
    """One namespace of one container."""

    TYPE_NAME = "*formatter.namespaceContext"
    __slots__ = ()


class ProcessRow(_ContainerRow):
    """One process of one container."""

    TYPE_NAME = "*formatter.processContext"
    __slots__ = ()


def _identity(row: Row) -> str:
    return short_id(row.data["Id"]) if row.trunc else str(row.data["Id"])


def _count(row: Row) -> int:
    processes = row.data["Processes"]
    return len(processes) if isinstance(processes, list) else 0


def _shared(row: NamespaceRow) -> str:
    names = row.part["SharedWith"]
    return ",".join(map(str, names)) if isinstance(names, list) else ""


NamespaceRow.FIELDS = {
    "Container": ("CONTAINER ID", _identity),
    "Name": ("NAME", lambda row: row.data["Name"]),
    "PID": ("PID", lambda row: row.data["Pid"]),
    "Type": ("TYPE", lambda row: row.part["Type"]),
    "Namespace": ("NAMESPACE", lambda row: row.part["Inode"]),
    "Processes": ("PROCESSES", _count),
    "Shared": ("SHARED WITH", _shared),
}
ProcessRow.FIELDS = {
    "Container": ("CONTAINER ID", _identity),
    "Name": ("NAME", lambda row: row.data["Name"]),
    "PID": ("PID", lambda row: row.part["Pid"]),
    "InnerPID": ("PID INSIDE", lambda row: row.part["InnerPid"]),
    "UID": ("UID", lambda row: row.part["Uid"]),
    "Command": ("COMMAND", lambda row: row.part["Command"]),
}
