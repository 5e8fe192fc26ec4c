"""Rows of images, their names and their layers. Every method is one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from windlass.store.database import Database

_LAYER_COLUMNS = "diff_id, short, size_bytes, boot"


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image: its configuration's digest, and what is not in the configuration. Times in nanoseconds.

    `retired` is 1 for an image that was removed by force while a container used it.
    """

    id: str
    manifest_digest: str
    size_bytes: int
    created_ns: int
    parent: str = ""
    tagged_ns: int = 0
    retired: int = 0


@dataclass(frozen=True, slots=True)
class RefRow:
    """A name (canonical, with tag or digest) of an image."""

    name: str
    image_id: str
    made_ns: int


@dataclass(frozen=True, slots=True)
class LayerRow:
    """An unpacked layer: the digest of its uncompressed tar and its directory's short name.

    `boot` is the boot id under which it was made while its files may not be on the disk yet.
    """

    diff_id: str
    short: str
    size_bytes: int
    boot: str = ""

    def settled(self) -> LayerRow:
        """Return the row of the layer once its files are on the disk."""
        return replace(self, boot="")


@dataclass(frozen=True, slots=True)
class LayerBlobRow:
    """A stored archive, compressed or not, that unpacks to a layer."""

    digest: str
    diff_id: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Everything:
    """All rows about images, as one consistent view."""

    images: list[ImageRow]
    refs: list[RefRow]
    layers: list[LayerRow]
    layer_blobs: list[LayerBlobRow]
    image_layers: dict[str, tuple[str, ...]]


class ImageRows:
    """The tables images, refs, layers, layer_blobs and image_layers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> Everything:
        """Return all rows; `image_layers` gives each image's diff ids, bottom first."""
        return await self._database.read(_load)

    async def add_layer(self, layer: LayerRow, blob: LayerBlobRow) -> LayerRow:
        """Record an unpacked layer and the archive it came from, and return the layer's row.

        Where the layer is recorded already, that row is returned: its `short` differs from the one given.
        """
        return await self._database.write(lambda c: _add_layer(c, layer, blob))

    async def mark_settled(self, diff_ids: Iterable[str]) -> None:
        """Record that the files of layers are on the disk."""
        rows = [(diff_id,) for diff_id in diff_ids]
        await self._database.write(lambda c: c.executemany("UPDATE layers SET boot = '' WHERE diff_id = ?", rows))

    async def forget_unsettled(self, boot: str) -> list[str]:
        """Remove the images whose layers an earlier boot than `boot` did not bring to the disk; return their ids."""
        return await self._database.write(lambda c: _forget_unsettled(c, boot))

    async def put(self, image: ImageRow, diff_ids: Sequence[str], refs: Iterable[RefRow] = ()) -> None:
        """Record an image with its layers, bottom first, and point names at it: all of it or nothing.

        An image that is there already gets the manifest given, and is no longer retired.
        """
        rows = tuple(refs)
        await self._database.write(lambda c: _put(c, image, diff_ids, rows))

    async def put_refs(self, refs: Iterable[RefRow], tagged_ns: int = 0) -> None:
        """Point names at images; a name that had another image moves. `tagged_ns` marks a user's own tagging."""
        rows = tuple(refs)
        await self._database.write(lambda c: _put_refs(c, rows, tagged_ns))

    async def remove(self, names: Iterable[str], image_id: str = "", *, retire: bool = False) -> None:
        """Remove names, and then the image `image_id` if one is given: wholly, or from sight only (`retire`)."""
        gone = tuple(names)
        await self._database.write(lambda c: _remove(c, gone, image_id, retire))

    async def forget_retired(self) -> list[str]:
        """Remove the retired images that no container uses any more and return their ids."""
        return await self._database.write(_forget_retired)

    async def forget_unused_layers(self) -> list[LayerRow]:
        """Remove and return the layers that neither an image nor a lease holds."""
        return await self._database.write(_forget_unused_layers)


def _load(connection: sqlite3.Connection) -> Everything:
    image_layers: dict[str, tuple[str, ...]] = {}
    for image_id, diff_id in connection.execute(
        "SELECT image_id, diff_id FROM image_layers ORDER BY image_id, position"
    ):
        image_layers[image_id] = (*image_layers.get(image_id, ()), diff_id)
    return Everything(
        images=[
            ImageRow(*row)
            for row in connection.execute(
                "SELECT id, manifest_digest, size_bytes, created_ns, parent, tagged_ns, retired FROM images"
            )
        ],
        refs=[RefRow(*row) for row in connection.execute("SELECT name, image_id, made_ns FROM refs")],
        layers=[LayerRow(*row) for row in connection.execute(f"SELECT {_LAYER_COLUMNS} FROM layers")],
        layer_blobs=[
            LayerBlobRow(*row) for row in connection.execute("SELECT digest, diff_id, size_bytes FROM layer_blobs")
        ],
        image_layers=image_layers,
    )


def _add_layer(connection: sqlite3.Connection, layer: LayerRow, blob: LayerBlobRow) -> LayerRow:
    connection.execute(
        "INSERT INTO layers (diff_id, short, size_bytes, boot) VALUES (?, ?, ?, ?) ON CONFLICT (diff_id) DO NOTHING",
        (layer.diff_id, layer.short, layer.size_bytes, layer.boot),
    )
    connection.execute(
        "INSERT OR REPLACE INTO layer_blobs (digest, diff_id, size_bytes) VALUES (?, ?, ?)",
        (blob.digest, blob.diff_id, blob.size_bytes),
    )
    found = connection.execute(f"SELECT {_LAYER_COLUMNS} FROM layers WHERE diff_id = ?", (layer.diff_id,)).fetchone()
    return LayerRow(*found)


def _forget_unsettled(connection: sqlite3.Connection, boot: str) -> list[str]:
    rows = connection.execute(
        "DELETE FROM images WHERE id IN (SELECT image_id FROM image_layers JOIN layers USING (diff_id)"
        " WHERE boot NOT IN ('', ?)) RETURNING id",
        (boot,),
    ).fetchall()
    connection.execute(
        "DELETE FROM leases WHERE key IN (SELECT diff_id FROM layers WHERE boot NOT IN ('', ?))", (boot,)
    )
    return [image_id for (image_id,) in rows]


def _put(connection: sqlite3.Connection, image: ImageRow, diff_ids: Sequence[str], refs: Sequence[RefRow]) -> None:
    connection.execute(
        "INSERT INTO images (id, manifest_digest, size_bytes, created_ns, parent) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET retired = 0, manifest_digest = excluded.manifest_digest",
        (image.id, image.manifest_digest, image.size_bytes, image.created_ns, image.parent),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO image_layers (image_id, position, diff_id) VALUES (?, ?, ?)",
        [(image.id, position, diff_id) for position, diff_id in enumerate(diff_ids)],
    )
    _put_refs(connection, refs, image.tagged_ns)


def _put_refs(connection: sqlite3.Connection, refs: Sequence[RefRow], tagged_ns: int) -> None:
    for ref in refs:
        connection.execute(
            "INSERT OR REPLACE INTO refs (name, image_id, made_ns) VALUES (?, ?, ?)",
            (ref.name, ref.image_id, ref.made_ns),
        )
        if tagged_ns:
            connection.execute("UPDATE images SET tagged_ns = ? WHERE id = ?", (tagged_ns, ref.image_id))


def _remove(connection: sqlite3.Connection, names: Sequence[str], image_id: str, retire: bool) -> None:
    connection.executemany("DELETE FROM refs WHERE name = ?", [(name,) for name in names])
    if not image_id:
        return
    if retire:
        connection.execute("DELETE FROM refs WHERE image_id = ?", (image_id,))
        connection.execute("UPDATE images SET retired = 1, parent = '' WHERE id = ?", (image_id,))
    else:
        connection.execute("DELETE FROM images WHERE id = ?", (image_id,))


def _forget_retired(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "DELETE FROM images WHERE retired = 1 AND id NOT IN (SELECT image_id FROM containers) RETURNING id"
    )
    return [image_id for (image_id,) in rows.fetchall()]


def _forget_unused_layers(connection: sqlite3.Connection) -> list[LayerRow]:
    rows = connection.execute(
        "DELETE FROM layers WHERE diff_id NOT IN (SELECT diff_id FROM image_layers)"
        " AND diff_id NOT IN (SELECT key FROM leases WHERE kind = 'layer')"
        f" RETURNING {_LAYER_COLUMNS}"
    )
    return [LayerRow(*row) for row in rows.fetchall()]
