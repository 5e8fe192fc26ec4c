"""Images, as the engine and the API use them: one method per verb, the verbs' work in files of their own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from windlass.base.errors import WindlassError
from windlass.base.nursery import Nursery
from windlass.content.blobs import BlobStore
from windlass.distribution.credentials import ANONYMOUS, Credentials
from windlass.distribution.endpoints import RegistrySettings
from windlass.distribution.login import log_in
from windlass.distribution.source import Retry
from windlass.distribution.transport import Timeouts, Transport
from windlass.images import inspect as inspecting
from windlass.images import made_here
from windlass.images.catalog import Catalog
from windlass.images.commit import CommitWords, WriteLayer, commit
from windlass.images.feed import ByteSource
from windlass.images.filters import Filters
from windlass.images.image import Emit, Image, NoSuchImage, Progress, UsersOf
from windlass.images.import_ import import_tar
from windlass.images.list import list_images
from windlass.images.load import load
from windlass.images.opening import open_catalog, settle
from windlass.images.prune import Pruned, prune
from windlass.images.pull import Puller
from windlass.images.remove import ImageRemoval, Removal
from windlass.images.save import SavedArchive, save
from windlass.images.shelf import Shelf
from windlass.images.sweep import sweep
from windlass.images.tag import tag
from windlass.runtime.task import Launcher
from windlass.snapshots.naming import LayerName
from windlass.snapshots.overlay import LayerStore
from windlass.spec.mounts import OverlayMount
from windlass.spec.platform import Platform
from windlass.spec.reference import ImageRef
from windlass.store.database import Database
from windlass.store.images import ImageRows
from windlass.store.leases import Leases

_T = TypeVar("_T")

# In the class below `list` is a verb.
Summaries = list[dict[str, object]]
Refs = list[ImageRef]
Removals = list[Removal]
Images = list[Image]

_log = logging.getLogger(__name__)

# Images that live for less are never forced to the disk.
_SETTLE_AFTER_S = 5.0


@dataclass(frozen=True, slots=True)
class PullOptions:
    """The daemon's settings for pulls."""

    registries: RegistrySettings = field(default_factory=RegistrySettings)
    max_concurrent_downloads: int = 3
    retry: Retry = field(default_factory=Retry)
    timeouts: Timeouts = field(default_factory=Timeouts)


class ImageService:
    """The images of one data root. Made by `open_images`; used from the event loop's thread.

    Every method raises a `WindlassError` of the kind that its verb's file documents.
    """

    def __init__(self, shelf: Shelf, transport: Transport, puller: Puller, nursery: Nursery) -> None:
        self._shelf = shelf
        self._transport = transport
        self._puller = puller
        self._nursery = nursery
        self._making = asyncio.Lock()
        self._settling = False
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        """Settle what is to be settled at once: the daemon is about to end."""
        self._hurry.set()

    async def close(self) -> None:
        """Bring everything to the disk and close the connections to registries."""
        await settle(self._shelf)
        await self._transport.close()

    def configure(self, options: PullOptions) -> None:
        """Use other registries, and load so many layers at a time, from the next pull on."""
        self._puller.settings = options.registries
        self._puller.limit_downloads(options.max_concurrent_downloads)

    async def log_in(self, address: str, credentials: Credentials) -> None:
        """Have a registry look at credentials; see `distribution.login`."""
        await log_in(self._transport, address, self._puller.settings, credentials)

    # --- looking ------------------------------------------------------------------------------------------

    async def resolve(self, name: str) -> Image:
        """Return the image that a name, an id, the start of an id or a digest means.

        Raises:
            NoSuchImage: there is none.
            InvalidReference: `name` is outside the grammar of names.
        """
        return self._shelf.catalog.find(name)

    def get(self, image_id: str) -> Image | None:
        """Return the image of a full id, even one that was removed by force while a container uses it."""
        return self._shelf.catalog.get(image_id)

    async def list(
        self, filters: Filters | None = None, *, show_all: bool = False, shared_size: bool = False
    ) -> Summaries:
        """Return the summaries that `docker images` shows; see `list_images`."""
        return list_images(self._shelf, filters or {}, show_all=show_all, shared_size=shared_size)

    async def inspect(self, name: str) -> dict[str, object]:
        """Return everything about an image, as the Engine API shows it."""
        return inspecting.inspect(self._shelf, self._shelf.catalog.find(name))

    async def history(self, name: str) -> Summaries:
        """Return the steps that made an image, as the Engine API shows them."""
        return inspecting.history(self._shelf, self._shelf.catalog.find(name))

    def layers_of(self, image_id: str) -> tuple[str, ...]:
        """Return the names of an image's layers, top first, by its full id; even of one removed by force."""
        image = self._shelf.catalog.get(image_id)
        if image is None:
            raise NoSuchImage(image_id)
        return self.rootfs(image)

    def layers_size(self) -> int:
        """Return the bytes of all layers' files, each layer counted once."""
        return sum(layer.size_bytes for layer in self._shelf.catalog.layers.values())

    def rootfs(self, image: Image) -> tuple[str, ...]:
        """Return the names of the image's layers, top first."""
        return tuple(reversed(self._shelf.catalog.shorts_of(image)))

    def mount(self, image: Image, upper: str = "", work: str = "") -> OverlayMount:
        """Return the overlay of an image's layers below `upper`; without it, read-only."""
        names = [LayerName(short) for short in self._shelf.catalog.shorts_of(image)]
        return self._shelf.layers.mount(names, upper, work)

    # --- changing -----------------------------------------------------------------------------------------

    async def tag(self, name: str, ref: ImageRef) -> None:
        """Give an image one more name; see `windlass.images.tag`."""
        await tag(self._shelf, self._shelf.catalog.find(name), ref)

    async def remove(
        self, name: str, users_of: UsersOf, *, force: bool = False, prune_parents: bool = True
    ) -> Removals:
        """Remove a name, or an image; see `ImageRemoval`."""
        removal = ImageRemoval(self._shelf, users_of, force=force, prune=prune_parents)
        try:
            await removal.remove(name)
        finally:
            if removal.removals:
                self._nursery.start(self._sweep(), "images sweep")
        return removal.removals

    async def prune(self, filters: Filters, users_of: UsersOf) -> Pruned:
        """Remove the images that nobody uses; see `windlass.images.prune`."""
        return await prune(self._shelf, filters, users_of)

    def container_removed(self) -> None:
        """Let go of images that only a container held which is gone now."""
        if self._shelf.catalog.retired():
            self._nursery.start(self._sweep(), "images sweep")

    # --- making -------------------------------------------------------------------------------------------

    async def import_tar(
        self,
        source: ByteSource,
        ref: ImageRef | None = None,
        *,
        changes: Iterable[str] = (),
        message: str = "",
        platform: Platform | None = None,
    ) -> Image:
        """Make an image of a root file system's tar; see `windlass.images.import_`."""
        return await self._made(
            import_tar(self._shelf, source, ref, changes=changes, message=message, platform=platform)
        )

    async def commit(self, parent: Image, words: CommitWords, ref: ImageRef | None, write_layer: WriteLayer) -> Image:
        """Make an image of another one and a layer; see `windlass.images.commit`."""
        return await self._made(commit(self._shelf, parent, words, ref, write_layer))

    async def load(
        self, source: ByteSource, progress: Progress, *, quiet: bool = False, platform: Platform | None = None
    ) -> Images:
        """Load the images of an archive; see `windlass.images.load`."""
        return await self._made(load(self._shelf, source, progress, quiet=quiet, platform=platform))

    async def save(self, names: Iterable[str], platform: Platform | None = None) -> SavedArchive:
        """Return images as one archive, to be written; see `windlass.images.save`."""
        return await save(self._shelf, names, platform)

    async def pull(
        self,
        ref: ImageRef,
        progress: Progress,
        *,
        credentials: Credentials = ANONYMOUS,
        platform: Platform | None = None,
    ) -> Image:
        """Have the image of a name: from its registry, or made here if it is one of our own; see `Puller.pull`."""
        if not made_here.is_made_here(ref):
            return await self._made(self._puller.pull(ref, progress, credentials=credentials, platform=platform))
        async with self._making:
            found = self._shelf.catalog.image_of(ref)
            if found is not None:
                progress({"status": f"Status: Image is up to date for {ref.with_default_tag().familiar}"})
                return found
            image = await self._made(made_here.make(self._shelf, ref, progress))
        progress({"status": f"Status: Made {ref.with_default_tag().familiar} on this host"})
        return image

    async def bootstrap(self, name: str, progress: Progress) -> Image:
        """Make one of our own images anew; see `windlass.images.made_here.bootstrap`."""
        recipe = made_here.recipe_named(name)
        async with self._making:
            return await self._made(made_here.bootstrap(self._shelf, recipe, progress))

    async def ensure_embedded(self) -> None:
        """Have `windlass/hello` in a new store. Once removed, it comes back only when it is asked for."""
        if not any(True for _ in self._shelf.catalog):
            await self._made(made_here.load_hello(self._shelf))

    # --- tidying ------------------------------------------------------------------------------------------

    async def _made(self, work: Awaitable[_T]) -> _T:
        """Wait for `work`, and tidy up after it, whether it made something or failed half-way."""
        try:
            result = await work
        except BaseException:
            self._nursery.start(self._sweep(), "images sweep")
            raise
        if not self._settling:
            self._settling = True
            self._nursery.start(self._settle(), "images settle")
        return result

    async def _sweep(self) -> None:
        try:
            await sweep(self._shelf)
        except WindlassError as error:
            # What is left costs space and nothing else; the next sweep tries again.
            _log.warning("sweep failed", extra={"fields": {"error": error.message}})

    async def _settle(self) -> None:
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), _SETTLE_AFTER_S)
            self._settling = False
            await settle(self._shelf)
        finally:
            self._settling = False


async def open_images(
    data_root: str,
    database: Database,
    launcher: Launcher,
    nursery: Nursery,
    emit: Emit,
    options: PullOptions | None = None,
) -> ImageService:
    """Return the images below `data_root`, with what a crash left put right.

    Raises:
        StoreCorrupt, StoreRefused, System: the tables or the directories cannot be used.
    """
    options = options or PullOptions()
    shelf = Shelf(
        catalog=Catalog(),
        rows=ImageRows(database),
        leases=Leases(database),
        blobs=BlobStore(data_root),
        layers=LayerStore(data_root),
        launcher=launcher,
        emit=emit,
        staging_directory=f"{data_root}/staging",
    )
    await open_catalog(shelf)
    transport = Transport(options.timeouts)
    puller = Puller(
        shelf,
        transport,
        options.registries,
        max_concurrent_downloads=options.max_concurrent_downloads,
        retry=options.retry,
    )
    return ImageService(shelf, transport, puller, nursery)
