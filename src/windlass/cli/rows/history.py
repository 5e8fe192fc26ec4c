"""Rows of `history`."""

from __future__ import annotations

from windlass.cli.rows.moments import ago, local_rfc3339
from windlass.cli.rows.row import Row, short_id, shortened
from windlass.cli.units import human_size

MISSING = "<missing>"
COMMAND_COLUMNS = 45
SIZE_DIGITS = 3
HUMAN_COLUMNS = ("ID", "CreatedSince", "CreatedBy", "Size", "Comment")
PLAIN_COLUMNS = ("ID", "CreatedAt", "CreatedBy", "Size", "Comment")


class HistoryRow(Row):
    """One step of `GET /images/{name}/history`."""

    TYPE_NAME = "*image.historyContext"
    __slots__ = ("human",)

    def __init__(self, data: dict[str, object], *, trunc: bool, human: bool) -> None:
        super().__init__(data, trunc=trunc)
        self.human = human

    def number(self, name: str) -> int:
        """A field that is a number, 0 when missing."""
        value = self.data.get(name)
        return value if isinstance(value, int) else 0


def _id(row: HistoryRow) -> str:
    identifier = str(row.data.get("Id") or MISSING)
    return short_id(identifier) if row.trunc and identifier != MISSING else identifier


def _created_by(row: HistoryRow) -> str:
    text = str(row.data.get("CreatedBy") or "").replace("\t", " ")
    return shortened(text, COMMAND_COLUMNS) if row.trunc else text


def _created_since(row: HistoryRow) -> str:
    created = row.number("Created")
    return "N/A" if created <= 0 else ago(created)


HistoryRow.FIELDS = {
    "ID": ("IMAGE", _id),
    "CreatedSince": ("CREATED", _created_since),
    "CreatedAt": ("CREATED AT", lambda row: local_rfc3339(row.number("Created"))),
    "CreatedBy": ("CREATED BY", _created_by),
    "Size": ("SIZE", lambda row: human_size(row.number("Size"), SIZE_DIGITS) if row.human else str(row.number("Size"))),
    "Comment": ("COMMENT", lambda row: row.data.get("Comment") or ""),
}
