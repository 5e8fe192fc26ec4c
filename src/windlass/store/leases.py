"""Leases: what an unfinished operation needs kept although no image holds it yet.

They outlive the daemon, so that a pull which was cut short finds the layers it had already; until they expire.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Literal

from windlass.store.database import Database

LeaseKind = Literal["blob", "layer"]

LIFE_S = 24 * 3600


class Leases:
    """The table leases. An owner is one operation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold(self, owner: str, kind: LeaseKind, keys: Iterable[str]) -> None:
        """Keep blobs (by digest) or layers (by diff id) until `owner` releases them, or for a day."""
        expires_ns = time.time_ns() + LIFE_S * 1_000_000_000
        rows = [(owner, kind, key, expires_ns) for key in keys]
        await self._database.write(lambda c: c.executemany("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)", rows))

    async def held(self, kind: LeaseKind) -> set[str]:
        """Return every held key of a kind."""
        return await self._database.read(
            lambda c: {key for (key,) in c.execute("SELECT key FROM leases WHERE kind = ?", (kind,))}
        )

    async def release(self, owner: str) -> None:
        """Give up everything that `owner` holds."""
        await self._database.write(lambda c: c.execute("DELETE FROM leases WHERE owner = ?", (owner,)))

    async def release_expired(self) -> None:
        """Give up what has been held for too long."""
        now_ns = time.time_ns()
        await self._database.write(lambda c: c.execute("DELETE FROM leases WHERE expires_ns <= ?", (now_ns,)))
