"""Removing what nothing points at any more: marked from images, containers and leases, then swept.

roots     images (a container keeps its image, seen or retired)      leases
layers    of images            leased ones
blobs     configurations, manifests, what names point at by digest, archives of kept layers      leased ones
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from windlass.base.errors import WindlassError
from windlass.base.threads import run_blocking
from windlass.images.shelf import Shelf
from windlass.snapshots.naming import LayerName
from windlass.store.images import LayerRow

_log = logging.getLogger(__name__)


async def sweep(shelf: Shelf) -> int:
    """Remove every layer and blob that nothing holds, and return the bytes of the blobs.

    A layer that cannot be removed from the disk (something is mounted there) is logged, and its files stay until the
    next start; it is no layer any more.

    Raises:
        StoreRefused, System: the host refused; what was not removed is for the next sweep.
    """
    async with shelf.sweeping:
        for image_id in await shelf.rows.forget_retired():
            shelf.catalog.drop_image(image_id)
        unused = await shelf.rows.forget_unused_layers()
        for layer in unused:
            shelf.catalog.drop_layer(layer.diff_id)
        kept = await _marked_blobs(shelf)
        freed = await run_blocking(_delete_blobs, shelf, kept)
    await run_blocking(_delete_layers, shelf, unused)
    return freed


async def sweep_strays(shelf: Shelf) -> None:
    """Remove the directories that no row names. For the daemon's start, before anything is made."""
    known = {layer.short for layer in shelf.catalog.layers.values()}
    await run_blocking(shelf.layers.clean_up)
    await run_blocking(_delete_strays, shelf, known)


async def _marked_blobs(shelf: Shelf) -> set[str]:
    catalog = shelf.catalog
    kept: set[str] = await shelf.leases.held("blob")
    for image in (*catalog, *catalog.retired()):
        kept.update((image.id, image.manifest_digest))
        kept.update(ref.digest for ref in catalog.refs_of(image.id) if ref.digest)
    kept.update(catalog.layer_blobs)
    return kept


def _delete_blobs(shelf: Shelf, kept: set[str]) -> int:
    return sum(shelf.blobs.delete(digest) for digest, _size in list(shelf.blobs.walk()) if digest not in kept)


def _delete_layers(shelf: Shelf, layers: Iterable[LayerRow]) -> None:
    for layer in layers:
        _delete_layer(shelf, LayerName(layer.short))


def _delete_strays(shelf: Shelf, known: set[str]) -> None:
    for name in list(shelf.layers.walk()):
        if name not in known:
            _delete_layer(shelf, name)


def _delete_layer(shelf: Shelf, name: LayerName) -> None:
    try:
        shelf.layers.remove(name)
    except WindlassError as error:
        _log.warning("layer not removed", extra={"fields": {"layer": name, "error": error.message}})
