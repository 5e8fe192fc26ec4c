"""Rows of networks and of the endpoints that join containers to them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from windlass.base.errors import Conflict
from windlass.store.database import Database


@dataclass(frozen=True, slots=True)
class NetworkRow:
    """A network; `document` is JSON that only the engine reads."""

    id: str
    name: str
    document: bytes


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """A container's place in a network; `document` is JSON that only the engine reads."""

    id: str
    network_id: str
    container_id: str
    document: bytes


class NetworkNameInUse(Conflict):
    """Another network has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"network with name {name} already exists")
        self.name = name


class NetworkRows:
    """The tables networks and endpoints. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, row: NetworkRow) -> None:
        """Record a network, or a new document of one.

        Raises:
            NetworkNameInUse: the name belongs to another network.
        """
        await self._database.write(lambda c: _put(c, row))

    async def all(self) -> list[NetworkRow]:
        """Return all networks."""
        return await self._database.read(
            lambda c: [NetworkRow(*row) for row in c.execute("SELECT id, name, document FROM networks")]
        )

    async def delete(self, network_id: str) -> None:
        """Remove a network and its endpoints; one that is gone already counts as removed."""
        await self._database.write(lambda c: c.execute("DELETE FROM networks WHERE id = ?", (network_id,)))

    async def put_endpoint(self, row: EndpointRow) -> None:
        """Record an endpoint, or a new document of one."""
        await self._database.write(
            lambda c: c.execute(
                "INSERT OR REPLACE INTO endpoints (id, network_id, container_id, document) VALUES (?, ?, ?, ?)",
                (row.id, row.network_id, row.container_id, row.document),
            )
        )

    async def all_endpoints(self) -> list[EndpointRow]:
        """Return all endpoints."""
        return await self._database.read(_list_endpoints)

    async def delete_endpoints(self, container_id: str, network_id: str = "") -> None:
        """Remove a container's endpoints: all of them, or the one in `network_id`."""
        await self._database.write(
            lambda c: c.execute(
                "DELETE FROM endpoints WHERE container_id = ?1 AND (?2 = '' OR network_id = ?2)",
                (container_id, network_id),
            )
        )


def _put(connection: sqlite3.Connection, row: NetworkRow) -> None:
    found = connection.execute("SELECT 1 FROM networks WHERE name = ? AND id != ?", (row.name, row.id)).fetchone()
    if found is not None:
        raise NetworkNameInUse(row.name)
    connection.execute(
        "INSERT INTO networks (id, name, document) VALUES (?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, document = excluded.document",
        (row.id, row.name, row.document),
    )


def _list_endpoints(connection: sqlite3.Connection) -> list[EndpointRow]:
    rows = connection.execute("SELECT id, network_id, container_id, document FROM endpoints")
    return [EndpointRow(*row) for row in rows]
