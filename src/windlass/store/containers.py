"""Rows of containers: what was asked for and how it last ended, as the engine's own documents."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from windlass.base.errors import Conflict, NotFound
from windlass.store.database import Database


@dataclass(frozen=True, slots=True)
class ContainerRow:
    """A container. `name` has no leading slash; `intent` and `state` are JSON that only the engine reads."""

    id: str
    name: str
    image_id: str
    intent: bytes
    state: bytes


class NameInUse(Conflict):
    """Another container has the name."""

    def __init__(self, name: str, holder_id: str) -> None:
        super().__init__(
            f'Conflict. The container name "/{name}" is already in use by container "{holder_id}". '
            "You have to remove (or rename) that container to be able to reuse that name."
        )
        self.name = name
        self.holder_id = holder_id


class ContainerRows:
    """The table containers. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, row: ContainerRow) -> None:
        """Record a new container.

        Raises:
            NameInUse: the name belongs to another one.
        """
        await self._database.write(lambda c: _add(c, row))

    async def get(self, container_id: str) -> ContainerRow:
        """Return one container.

        Raises:
            NotFound: there is none with this full id.
        """
        return await self._database.read(lambda c: _get(c, container_id))

    async def all(self) -> list[ContainerRow]:
        """Return all containers."""
        return await self._database.read(_list)

    async def set_state(self, container_id: str, state: bytes) -> None:
        """Replace the state document. A container that is gone stays gone."""
        await self._database.write(
            lambda c: c.execute("UPDATE containers SET state = ? WHERE id = ?", (state, container_id))
        )

    async def set_intent(self, container_id: str, intent: bytes) -> None:
        """Replace the intent document (`docker update`). A container that is gone stays gone."""
        await self._database.write(
            lambda c: c.execute("UPDATE containers SET intent = ? WHERE id = ?", (intent, container_id))
        )

    async def rename(self, container_id: str, name: str, intent: bytes | None = None) -> None:
        """Give a container another name, and with it another intent document if one is given.

        Raises:
            NameInUse: the name belongs to another one.
        """
        await self._database.write(lambda c: _rename(c, container_id, name, intent))

    async def delete(self, container_id: str) -> None:
        """Remove a container's row; one that is gone already counts as removed."""
        await self._database.write(lambda c: c.execute("DELETE FROM containers WHERE id = ?", (container_id,)))


def _check_name(connection: sqlite3.Connection, name: str, container_id: str) -> None:
    found = connection.execute("SELECT id FROM containers WHERE name = ? AND id != ?", (name, container_id)).fetchone()
    if found is not None:
        raise NameInUse(name, found[0])


def _add(connection: sqlite3.Connection, row: ContainerRow) -> None:
    _check_name(connection, row.name, row.id)
    connection.execute(
        "INSERT INTO containers (id, name, image_id, intent, state) VALUES (?, ?, ?, ?, ?)",
        (row.id, row.name, row.image_id, row.intent, row.state),
    )


def _get(connection: sqlite3.Connection, container_id: str) -> ContainerRow:
    found = connection.execute(
        "SELECT id, name, image_id, intent, state FROM containers WHERE id = ?", (container_id,)
    ).fetchone()
    if found is None:
        raise NotFound(f"No such container: {container_id}")
    return ContainerRow(*found)


def _list(connection: sqlite3.Connection) -> list[ContainerRow]:
    return [
        ContainerRow(*row) for row in connection.execute("SELECT id, name, image_id, intent, state FROM containers")
    ]


def _rename(connection: sqlite3.Connection, container_id: str, name: str, intent: bytes | None) -> None:
    _check_name(connection, name, container_id)
    connection.execute("UPDATE containers SET name = ? WHERE id = ?", (name, container_id))
    if intent is not None:
        connection.execute("UPDATE containers SET intent = ? WHERE id = ?", (intent, container_id))
