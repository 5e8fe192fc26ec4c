"""`docker pull`: from a registry to an image.

    manifest ──> the one for this platform ──> configuration
    layers, several at a time:   download (resumed where it broke off) ──> worker: unpack, check against the diff id
    all there ──> image and names in one transaction

A layer that is unpacked already is not asked for. What is being fetched by two pulls is fetched once. A pull that fails
leaves what it got for its next try, for a day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import BinaryIO
from weakref import WeakValueDictionary

from windlass.base.errors import WindlassError
from windlass.base.threads import acquire_blocking, run_blocking
from windlass.content.ingest import Durability
from windlass.distribution.credentials import ANONYMOUS, Credentials
from windlass.distribution.endpoints import RegistrySettings
from windlass.distribution.errors import explain_pull
from windlass.distribution.repository import RawManifest
from windlass.distribution.source import Retry, Source, open_source
from windlass.distribution.transport import Transport
from windlass.images.image import Image, Progress, short_id
from windlass.images.progress import LayerProgress
from windlass.images.register import Documents, parse_documents, register
from windlass.images.shelf import Lease, Shelf, leased
from windlass.images.unpack import unpack_blob
from windlass.spec.digest import DiffId, Digest
from windlass.spec.image import (
    CONFIG_LIMIT_BYTES,
    INDEX_DEPTH_LIMIT,
    Descriptor,
    Index,
    InvalidImage,
    Manifest,
    parse_manifest,
)
from windlass.spec.platform import Platform, host
from windlass.spec.reference import ImageRef

_PARALLEL_UNPACKS = 2


class NoMatchingPlatform(InvalidImage):
    """An index has no image for the platform."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(f"no matching manifest for {platform} in the manifest list entries")


@dataclass(frozen=True, slots=True)
class _Found:
    """What a name means at a registry: `top` is what it points at, `own` the image's manifest."""

    top: RawManifest
    own: RawManifest
    manifest: Manifest


class Puller:
    """Pulls images. One per daemon: it bounds what all pulls together do at a time."""

    def __init__(
        self,
        shelf: Shelf,
        transport: Transport,
        settings: RegistrySettings,
        *,
        max_concurrent_downloads: int = 3,
        retry: Retry | None = None,
    ) -> None:
        self._shelf = shelf
        self._transport = transport
        self.settings = settings
        self._retry = retry
        self._downloads = asyncio.Semaphore(max_concurrent_downloads)
        self._unpacks = asyncio.Semaphore(_PARALLEL_UNPACKS)
        self._fetching: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def limit_downloads(self, count: int) -> None:
        """Fetch at most `count` layers at a time; those under way are not counted."""
        self._downloads = asyncio.Semaphore(count)

    async def pull(
        self,
        ref: ImageRef,
        progress: Progress,
        *,
        credentials: Credentials = ANONYMOUS,
        platform: Platform | None = None,
    ) -> Image:
        """Have the image that `ref` (tag `latest` when it has none) names at its registry, under that name.

        `platform` chooses from an index; without it, this host's.

        Raises:
            NotFound: the registry has no such image, or does not show it.
            Unauthorized: credentials are missing or refused.
            InvalidImage, NoMatchingPlatform: it is nothing that can run here.
            DataLoss: what came is not what its digest names.
            WindlassError: the registry or the host failed.
        """
        named = ref.with_digest(Digest(ref.digest)) if ref.digest else ref.with_default_tag()
        source = open_source(self._transport, named, self.settings, credentials, self._retry)
        try:
            async with leased(self._shelf, f"pull {named}", resumable=True) as lease:
                return await self._pull(source, lease, named, progress, platform or host())
        except WindlassError as error:
            raise explain_pull(error, named) from error

    async def _pull(self, source: Source, lease: Lease, ref: ImageRef, progress: Progress, platform: Platform) -> Image:
        found = await _resolve(source, ref.digest or ref.tag, platform)
        progress({"status": f"Pulling from {ref.path}", "id": ref.tag or ref.digest})
        documents = await self._documents(source, lease, found)
        await lease.hold(layers=documents.config.diff_ids)
        await self._fetch_layers(source, lease, documents, progress)
        if found.top is not found.own:
            await lease.hold(blobs=[found.top.digest])
            await run_blocking(self._shelf.blobs.put, found.top.raw, found.top.digest, Durability.DEFERRED)
        previous = self._shelf.catalog.image_of(ref)
        refs = {ref, ref.with_digest(found.top.digest)}
        image = await register(self._shelf, lease, documents, sorted(refs, key=str))
        is_new = previous is None or previous.id != image.id
        progress({"status": f"Digest: {found.top.digest}"})
        outcome = "Downloaded newer image for" if is_new else "Image is up to date for"
        progress({"status": f"Status: {outcome} {ref.familiar}"})
        self._shelf.emit("image", "pull", ref.familiar, {**image.labels, "name": ref.familiar_name})
        return image

    async def _documents(self, source: Source, lease: Lease, found: _Found) -> Documents:
        """Fetch the configuration; it is checked against the manifest."""
        descriptor = found.manifest.config
        if descriptor.size > CONFIG_LIMIT_BYTES:
            raise InvalidImage(f"image configuration exceeds the limit of {CONFIG_LIMIT_BYTES} bytes")
        await lease.hold(blobs=[descriptor.digest])
        if not await run_blocking(self._shelf.blobs.exists, Digest(descriptor.digest)):
            await source.fetch(descriptor, self._shelf.blobs)
        raw = await run_blocking(self._shelf.blobs.read_verified, Digest(descriptor.digest), CONFIG_LIMIT_BYTES)
        documents = parse_documents(raw, found.own.raw, found.own.media_type)
        if documents.config.platform.os != "linux":
            os_name = documents.config.platform.os[:40]
            raise InvalidImage(f'image operating system "{os_name}" cannot be used on this platform')
        return documents

    async def _fetch_layers(self, source: Source, lease: Lease, documents: Documents, progress: Progress) -> None:
        """Have every layer, those that are missing at the same time."""
        missing: dict[DiffId, tuple[int, Descriptor]] = {}
        pairs = zip(documents.config.diff_ids, documents.manifest.layers, strict=True)
        for position, (diff_id, descriptor) in enumerate(pairs):
            shown = LayerProgress(progress, short_id(descriptor.digest))
            if diff_id in self._shelf.catalog.layers:
                shown.say("Already exists")
            elif diff_id not in missing:
                missing[diff_id] = (position, descriptor)
                shown.say("Pulling fs layer")
        try:
            async with asyncio.TaskGroup() as group:
                for diff_id, (position, descriptor) in missing.items():
                    shown = LayerProgress(progress, short_id(descriptor.digest))
                    group.create_task(self._fetch_layer(source, lease, diff_id, position, descriptor, shown))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _fetch_layer(
        self, source: Source, lease: Lease, diff_id: str, position: int, descriptor: Descriptor, shown: LayerProgress
    ) -> None:
        lock = self._fetching.setdefault(descriptor.digest, asyncio.Lock())
        async with AsyncExitStack() as stack:
            if lock.locked() or self._downloads.locked():
                shown.say("Waiting")
            await stack.enter_async_context(lock)
            if diff_id in self._shelf.catalog.layers:
                shown.say("Already exists")
                return
            await lease.hold(blobs=[descriptor.digest])
            await self._download(source, descriptor, shown)
            async with self._unpacks:
                shown.count("Extracting", 0, descriptor.size)
                with await acquire_blocking(_close, self._shelf.blobs.open, Digest(descriptor.digest)) as file:
                    await unpack_blob(self._shelf, lease, file.fileno(), diff_id, position)
                shown.count("Extracting", descriptor.size, descriptor.size)
            shown.say("Pull complete")

    async def _download(self, source: Source, descriptor: Descriptor, shown: LayerProgress) -> None:
        if not await run_blocking(self._shelf.blobs.exists, Digest(descriptor.digest)):
            async with self._downloads:
                await source.fetch(
                    descriptor,
                    self._shelf.blobs,
                    lambda count: shown.count("Downloading", count, descriptor.size),
                )
            shown.say("Verifying Checksum")
        shown.say("Download complete")


async def _resolve(source: Source, reference: str, platform: Platform) -> _Found:
    """Follow indexes to the one manifest that suits `platform`."""
    top = raw = await source.manifest(reference)
    for _ in range(INDEX_DEPTH_LIMIT):
        parsed = parse_manifest(raw.raw, raw.media_type)
        if isinstance(parsed, Manifest):
            return _Found(top, raw, parsed)
        chosen = _choose(parsed, platform)
        child = await source.manifest(chosen.digest, chosen.size)
        raw = RawManifest(child.raw, chosen.media_type, child.digest)
    raise InvalidImage("image indexes are nested too deeply")


def _choose(index: Index, platform: Platform) -> Descriptor:
    """Return the entry that suits best; the first of those that suit equally."""
    best: tuple[int, Descriptor] | None = None
    for descriptor in _images_of(index):
        preference = platform.preference(descriptor.platform) if descriptor.platform is not None else None
        if preference is not None and (best is None or preference < best[0]):
            best = (preference, descriptor)
    if best is not None:
        return best[1]
    # An index with one entry that says nothing means that entry.
    unspoken = [descriptor for descriptor in _images_of(index) if descriptor.platform is None]
    if len(unspoken) == 1 and len(index.manifests) == 1:
        return unspoken[0]
    raise NoMatchingPlatform(platform)


def _images_of(index: Index) -> Iterable[Descriptor]:
    """Leave out what is only about an image: attestations, signatures."""
    return (
        descriptor
        for descriptor in index.manifests
        if "vnd.docker.reference.type" not in (descriptor.annotations or {}) and not descriptor.artifact_type
    )


def _close(file: BinaryIO) -> None:
    file.close()
