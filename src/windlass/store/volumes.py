"""Rows of volumes."""

from __future__ import annotations

from dataclasses import dataclass

from windlass.store.database import Database


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """A volume; `document` is JSON that only the engine reads."""

    name: str
    document: bytes


class VolumeRows:
    """The table volumes. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, row: VolumeRow) -> None:
        """Record a volume, or a new document of one."""
        await self._database.write(
            lambda c: c.execute(
                "INSERT OR REPLACE INTO volumes (name, document) VALUES (?, ?)", (row.name, row.document)
            )
        )

    async def all(self) -> list[VolumeRow]:
        """Return all volumes."""
        return await self._database.read(
            lambda c: [VolumeRow(*row) for row in c.execute("SELECT name, document FROM volumes")]
        )

    async def delete(self, name: str) -> None:
        """Remove a volume's row; one that is gone already counts as removed."""
        await self._database.write(lambda c: c.execute("DELETE FROM volumes WHERE name = ?", (name,)))
