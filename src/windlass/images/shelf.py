"""What the verbs of images share: where things are kept, and how they are kept from the sweep meanwhile."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from windlass.content.blobs import BlobStore
from windlass.images.catalog import Catalog
from windlass.images.image import Emit, Image
from windlass.runtime.task import Launcher
from windlass.snapshots.overlay import LayerStore
from windlass.store.images import ImageRows
from windlass.store.leases import Leases


@dataclass(slots=True)
class Shelf:
    """The image store's parts.

    `staging_directory` is for parts of archives, on the blobs' file system. `sweeping` is held while the sweep chooses
    and deletes, and while something is leased.
    """

    catalog: Catalog
    rows: ImageRows
    leases: Leases
    blobs: BlobStore
    layers: LayerStore
    launcher: Launcher
    emit: Emit
    staging_directory: str
    sweeping: asyncio.Lock = field(default_factory=asyncio.Lock)

    def announce(self, action: str, image: Image, name: str = "") -> None:
        """Emit an image's event; `name` is the reference it happened to, or else the id."""
        # Our own attribute wins over a label of the same name, which is a stranger's word.
        self.emit("image", action, image.id, {**image.labels, "name": name or image.id})


class Lease:
    """What one operation keeps from the sweep."""

    def __init__(self, shelf: Shelf, owner: str) -> None:
        self._shelf = shelf
        self.owner = owner

    async def hold(self, *, blobs: Iterable[str] = (), layers: Iterable[str] = ()) -> None:
        """Keep blobs (by digest) and layers (by diff id), there or not yet. What is there afterwards will stay."""
        async with self._shelf.sweeping:
            await self._shelf.leases.hold(self.owner, "blob", blobs)
            await self._shelf.leases.hold(self.owner, "layer", layers)


@asynccontextmanager
async def leased(shelf: Shelf, purpose: str, *, resumable: bool = False) -> AsyncIterator[Lease]:
    """Yield a lease for one operation. A resumable one that fails leaves it for a day, for its next try to find."""
    owner = purpose if resumable else f"{purpose} {os.urandom(6).hex()}"
    try:
        yield Lease(shelf, owner)
    except BaseException:
        if not resumable:
            await shelf.leases.release(owner)
        raise
    await shelf.leases.release(owner)
