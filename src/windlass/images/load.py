"""`docker load`: an archive of images, Docker's or OCI's.

    body ──> worker: taken apart into numbered files ──> documents read here, bounded
                                                     ──> workers: layers unpacked, a few at a time
                                                     ──> all images registered

Whatever is wrong with the archive is found before the first image is registered.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from windlass.archive.worker import UnpackResult
from windlass.base.threads import acquire_blocking, run_blocking
from windlass.images.documents import make_manifest
from windlass.images.feed import ByteSource, feed
from windlass.images.image import Image, Progress, short_id
from windlass.images.layout import ArchivedImage, ArchiveLayout, InvalidArchive
from windlass.images.progress import LayerProgress
from windlass.images.register import Documents, parse_documents, register
from windlass.images.shelf import Lease, Shelf, leased
from windlass.images.stage_job import TABLE, TABLE_LIMIT_BYTES, StagedFile, Table
from windlass.images.stored_layers import stored_descriptor
from windlass.images.unpack import unpack_blob
from windlass.spec import media_types
from windlass.spec.digest import Digest, digest_bytes
from windlass.spec.image import Descriptor, Manifest, parse_manifest
from windlass.spec.platform import Platform, host

_PARALLEL_UNPACKS = 2


@dataclass(frozen=True, slots=True)
class _Staging:
    """A directory with the parts of an archive."""

    directory: str
    table: Table

    def path(self, file: StagedFile) -> str:
        return f"{self.directory}/{file.number}"

    def read(self, file: StagedFile, limit_bytes: int) -> bytes:
        with open(self.path(file), "rb") as stream:
            return stream.read(limit_bytes)


async def load(
    shelf: Shelf, source: ByteSource, progress: Progress, *, quiet: bool = False, platform: Platform | None = None
) -> list[Image]:
    """Load every image of an archive and return them; `progress` is told of layers (unless `quiet`) and of names.

    Raises:
        InvalidArchive, InvalidImage: the archive is bad; no image, no name was changed.
        WindlassError: the host refused, or a layer is bad; likewise.
    """
    async with leased(shelf, "load") as lease, _staged(shelf, source) as staging:
        layout = ArchiveLayout(staging.table, staging.read)
        archived = await run_blocking(layout.images, platform or host())
        chosen = [image for image in archived if _is_wanted(image, platform)]
        told = (lambda _message: None) if quiet else progress
        for image in chosen:
            await _unpack_layers(shelf, lease, staging, image, told)
        return await _register_all(shelf, lease, chosen, progress)


def _is_wanted(image: ArchivedImage, platform: Platform | None) -> bool:
    if image.config.platform.os != "linux":
        raise InvalidArchive(f"cannot load {image.config.os[:40]} image on linux")
    return platform is None or platform.preference(image.config.platform) is not None


@asynccontextmanager
async def _staged(shelf: Shelf, source: ByteSource) -> AsyncIterator[_Staging]:
    """Take the archive apart; its parts are gone afterwards, but for those which became blobs."""
    directory = await acquire_blocking(shutil.rmtree, make_directory, shelf.staging_directory)
    try:
        directory_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            await feed(source, lambda fd: shelf.launcher.run_job("stage", {}, [fd, directory_fd]))
        finally:
            os.close(directory_fd)
        yield _Staging(directory, await run_blocking(_read_table, directory))
    finally:
        await run_blocking(shutil.rmtree, directory, ignore_errors=True)


def make_directory(parent: str) -> str:
    """Make a staging directory of a new name."""
    os.makedirs(parent, 0o700, exist_ok=True)
    return tempfile.mkdtemp(prefix="load-", dir=parent)


def _read_table(directory: str) -> Table:
    with open(f"{directory}/{TABLE}", "rb") as file:
        return msgspec.json.decode(file.read(TABLE_LIMIT_BYTES), type=Table)


async def _unpack_layers(
    shelf: Shelf, lease: Lease, staging: _Staging, image: ArchivedImage, progress: Progress
) -> None:
    """Have every layer of an image, unpacking those that are not there yet."""
    await lease.hold(layers=image.config.diff_ids)
    gate = asyncio.Semaphore(_PARALLEL_UNPACKS)
    missing = {
        diff_id: (position, file)
        for position, (diff_id, file) in enumerate(zip(image.config.diff_ids, image.layers, strict=True))
        if diff_id not in shelf.catalog.layers
    }
    try:
        async with asyncio.TaskGroup() as group:
            for diff_id, (position, file) in missing.items():
                shown = LayerProgress(progress, short_id(diff_id))
                group.create_task(_unpack_layer(shelf, lease, staging, gate, diff_id, position, file, shown))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _unpack_layer(
    shelf: Shelf,
    lease: Lease,
    staging: _Staging,
    gate: asyncio.Semaphore,
    diff_id: str,
    position: int,
    file: StagedFile,
    progress: LayerProgress,
) -> None:
    path = staging.path(file)

    async def keep(result: UnpackResult) -> None:
        await run_blocking(_keep, shelf, path, Digest(result.blob_digest))

    async with gate:
        progress.count("Loading layer", 0, file.size)
        input_fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            await unpack_blob(shelf, lease, input_fd, diff_id, position, keep)
        finally:
            os.close(input_fd)
        progress.count("Loading layer", file.size, file.size)


def _keep(shelf: Shelf, path: str, digest: Digest) -> None:
    """Make a blob of a staged file without copying it; another image of the archive may need the file too."""
    link = f"{path}.blob"
    os.link(path, link)
    shelf.blobs.adopt(link, digest)


async def _register_all(shelf: Shelf, lease: Lease, archived: list[ArchivedImage], progress: Progress) -> list[Image]:
    documents = [await run_blocking(_documents, shelf, image) for image in archived]
    loaded = []
    for image, found in zip(archived, documents, strict=True):
        for ref in image.refs:
            previous = shelf.catalog.image_of(ref)
            if previous is not None and previous.id != found.image_id:
                text = f"The image {ref.familiar} already exists, renaming the old one with ID {previous.id}"
                progress({"stream": f"{text} to empty string\n"})
        loaded.append(await register(shelf, lease, found, image.refs))
        for ref in image.refs:
            progress({"stream": f"Loaded image: {ref.familiar}\n"})
        shelf.announce("load", loaded[-1])
    if not any(image.refs for image in archived):
        for each in loaded:
            progress({"stream": f"Loaded image ID: {each.id}\n"})
    return loaded


def _documents(shelf: Shelf, image: ArchivedImage) -> Documents:
    """Return the image's documents: with the manifest that it came with if that fits what is stored, or a new one."""
    if image.raw_manifest and _fits(shelf, image):
        return parse_documents(image.raw_config, image.raw_manifest)
    layers = [stored_descriptor(shelf, diff_id) for diff_id in image.config.diff_ids]
    config = Descriptor(media_types.OCI_CONFIG, digest_bytes(image.raw_config), len(image.raw_config))
    return parse_documents(image.raw_config, make_manifest(config, layers))


def _fits(shelf: Shelf, image: ArchivedImage) -> bool:
    manifest = parse_manifest(image.raw_manifest)
    if not isinstance(manifest, Manifest) or len(manifest.layers) != len(image.config.diff_ids):
        return False
    return all(shelf.blobs.exists(Digest(layer.digest)) for layer in manifest.layers)
