"""`docker image prune`: what no container uses, untagged images only unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from windlass.base.errors import Conflict
from windlass.images.filters import Filters, prune_filter
from windlass.images.image import Image, UsersOf
from windlass.images.remove import ImageRemoval, Removal
from windlass.images.shelf import Shelf
from windlass.images.sweep import sweep


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed, and the bytes of layers and blobs that this freed."""

    removals: list[Removal]
    reclaimed_bytes: int


async def prune(shelf: Shelf, filters: Filters, users_of: UsersOf) -> Pruned:
    """Remove the images that nobody uses; with the filter `dangling=false` those with names too.

    Raises:
        InvalidFilter: a filter is unknown or has a bad value.
    """
    chosen = prune_filter(shelf, filters)
    with_names = chosen.dangling is False
    removals: list[Removal] = []
    for image in list(shelf.catalog):
        refs = shelf.catalog.refs_of(image.id)
        if not chosen.accepts(image) or (refs and not with_names) or any(users_of(image.id)):
            continue
        removals += await _remove(shelf, image, [str(ref) for ref in refs] or [image.id], users_of)
    before = sum(layer.size_bytes for layer in shelf.catalog.layers.values())
    freed = await sweep(shelf)
    after = sum(layer.size_bytes for layer in shelf.catalog.layers.values())
    return Pruned(removals, freed + before - after)


async def _remove(shelf: Shelf, image: Image, names: list[str], users_of: UsersOf) -> list[Removal]:
    """Remove an image name by name, as its user would have to; one that others were made from stays."""
    removal = ImageRemoval(shelf, users_of, force=False, prune=True)
    for name in names:
        if shelf.catalog.get(image.id) is None:
            break
        try:
            await removal.remove(name)
        except Conflict:
            break
    return removal.removals
