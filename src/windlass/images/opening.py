"""The daemon's start: the catalog filled from the tables, and what a crash or a power cut left put right."""

from __future__ import annotations

import logging
import shutil

from windlass.base.errors import WindlassError
from windlass.base.threads import run_blocking
from windlass.images.image import Image
from windlass.images.register import Documents, parse_documents
from windlass.images.shelf import Shelf
from windlass.images.sweep import sweep, sweep_strays
from windlass.images.unpack import boot_id
from windlass.spec.digest import Digest
from windlass.spec.image import CONFIG_LIMIT_BYTES, MANIFEST_LIMIT_BYTES
from windlass.store.images import ImageRow

_log = logging.getLogger(__name__)

_INGEST_LIFE_S = 24 * 3600.0


async def open_catalog(shelf: Shelf) -> None:
    """Fill the catalog, drop what is not whole, and remove what nothing holds.

    Raises:
        StoreCorrupt, StoreRefused: the tables cannot be read.
        System: the host refused.
    """
    await shelf.leases.release_expired()
    for image_id in await shelf.rows.forget_unsettled(boot_id()):
        _log.warning("image lost", extra={"fields": {"image": image_id, "reason": "power was cut while it was new"}})
    rows = await shelf.rows.load()
    for layer in rows.layers:
        shelf.catalog.put_layer(layer)
    for blob in rows.layer_blobs:
        shelf.catalog.put_layer(shelf.catalog.layers[blob.diff_id], blob)
    for row in rows.images:
        await _open_image(shelf, row)
    shelf.catalog.put_refs(ref for ref in rows.refs if shelf.catalog.get(ref.image_id) is not None)
    await sweep_strays(shelf)
    await run_blocking(shutil.rmtree, shelf.staging_directory, ignore_errors=True)
    await run_blocking(shelf.blobs.expire_ingests, _INGEST_LIFE_S)
    await sweep(shelf)


async def settle(shelf: Shelf) -> None:
    """Bring every layer and blob to the disk, and record that a power cut will not take them.

    Raises:
        System: the disk failed.
    """
    pending = [layer for layer in shelf.catalog.layers.values() if layer.boot]
    if not pending:
        return
    # One call writes the whole file system: layers, blobs and the tables share it.
    await run_blocking(shelf.layers.sync)
    await shelf.rows.mark_settled(layer.diff_id for layer in pending)
    for layer in pending:
        if layer.diff_id in shelf.catalog.layers:
            shelf.catalog.put_layer(layer.settled())


async def _open_image(shelf: Shelf, row: ImageRow) -> None:
    try:
        documents = await run_blocking(_read, shelf, row)
    except WindlassError as error:
        # One damaged image must not keep the daemon from serving the others. Its row stays, and with it its layers:
        # containers may use them, and pulling or loading it again makes it whole.
        _log.error("image unreadable", extra={"fields": {"image": row.id, "error": error.message}})
        return
    shelf.catalog.put_image(
        Image(
            id=documents.image_id,
            config=documents.config,
            manifest=documents.manifest,
            manifest_digest=documents.manifest_digest,
            size_bytes=row.size_bytes,
            created_ns=row.created_ns,
            parent=row.parent,
            tagged_ns=row.tagged_ns,
            retired=bool(row.retired),
        )
    )


def _read(shelf: Shelf, row: ImageRow) -> Documents:
    config = shelf.blobs.read_verified(Digest(row.id), CONFIG_LIMIT_BYTES)
    manifest = shelf.blobs.read_verified(Digest(row.manifest_digest), MANIFEST_LIMIT_BYTES)
    return parse_documents(config, manifest)
