"""Leases: what an unfinished operation needs kept although no image holds it yet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from windlass.store.database import Database

LeaseKind = Literal["blob", "layer"]


class Leases:
    """The table leases. An owner is one operation; a new daemon has none, so `release_all` is its first act."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold(self, owner: str, kind: LeaseKind, keys: Iterable[str]) -> None:
        """Keep blobs (by digest) or layers (by diff id) until `owner` releases them."""
        rows = [(owner, kind, key) for key in keys]
        await self._database.write(lambda c: c.executemany("INSERT OR IGNORE INTO leases VALUES (?, ?, ?)", rows))

    async def held(self, kind: LeaseKind) -> set[str]:
        """Return every held key of a kind."""
        return await self._database.read(
            lambda c: {key for (key,) in c.execute("SELECT key FROM leases WHERE kind = ?", (kind,))}
        )

    async def release(self, owner: str) -> None:
        """Give up everything that `owner` holds."""
        await self._database.write(lambda c: c.execute("DELETE FROM leases WHERE owner = ?", (owner,)))

    async def release_all(self) -> None:
        """Give up everything: the operations of an earlier daemon are over."""
        await self._database.write(lambda c: c.execute("DELETE FROM leases"))
