"""From a layer's archive to a layer: unpacked and named by a worker in one pass, then committed here.

Nothing is visible before it is whole: the directory and the blob appear by rename, the row comes last.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

import msgspec

from windlass.archive.compression import Format
from windlass.archive.worker import UnpackResult
from windlass.base.errors import DataLoss
from windlass.base.threads import acquire_blocking, run_blocking
from windlass.content.ingest import Durability, Ingest
from windlass.images.shelf import Lease, Shelf
from windlass.snapshots.incoming import IncomingLayer
from windlass.snapshots.naming import LayerName
from windlass.spec import media_types
from windlass.spec.digest import Digest
from windlass.spec.image import Descriptor
from windlass.store.images import LayerBlobRow, LayerRow

_MEDIA_TYPES = {
    Format.NONE.value: media_types.OCI_LAYER,
    Format.GZIP.value: media_types.OCI_LAYER_GZIP,
    Format.ZSTD.value: media_types.OCI_LAYER_ZSTD,
}


class DiffIdMismatch(DataLoss):
    """A layer's content is not what the image's configuration names."""

    def __init__(self, position: int, expected: str, actual: str) -> None:
        super().__init__(f'invalid diffID for layer {position}: expected "{expected}", got "{actual}"')
        self.expected = expected
        self.actual = actual


Keep = Callable[[UnpackResult], Awaitable[None]]
"""Makes a blob of the archive that was unpacked."""


@dataclass(frozen=True, slots=True)
class UnpackedLayer:
    """A committed layer and the descriptor of the blob that holds its archive."""

    row: LayerRow
    descriptor: Descriptor


async def unpack_stream(shelf: Shelf, lease: Lease, input_fd: int) -> UnpackedLayer:
    """Make a layer of the archive read from `input_fd` (a pipe or a file), keeping the archive as a blob.

    Raises:
        WindlassError: the archive is bad or the host refused; nothing is left of it.
    """
    ingest = await acquire_blocking(Ingest.abort, shelf.blobs.ingest)

    async def keep(result: UnpackResult) -> None:
        await run_blocking(ingest.commit_written, Digest(result.blob_digest), result.blob_bytes, Durability.DEFERRED)

    try:
        return await _unpack(shelf, lease, input_fd, keep, ingest=ingest)
    finally:
        # After a commit there is nothing left to abort.
        await run_blocking(ingest.abort)


async def unpack_unkept(shelf: Shelf, lease: Lease, input_fd: int) -> UnpackedLayer:
    """Make a layer of an archive of ours, read from a pipe and not kept; see `windlass.images.repack`.

    Raises:
        WindlassError: the archive is bad or the host refused; nothing is left of it.
    """
    return await _unpack(shelf, lease, input_fd, _kept_already)


async def unpack_file(shelf: Shelf, lease: Lease, path: str) -> UnpackedLayer:
    """Make a layer of the archive in a file of ours, on the blobs' file system; the file becomes the blob.

    Raises:
        WindlassError: the archive is bad or the host refused; nothing but the file is left.
    """

    async def keep(result: UnpackResult) -> None:
        await run_blocking(shelf.blobs.adopt, path, Digest(result.blob_digest))

    with await acquire_blocking(_close, open, path, "rb") as file:
        return await _unpack(shelf, lease, file.fileno(), keep)


async def unpack_blob(
    shelf: Shelf, lease: Lease, input_fd: int, diff_id: str, position: int, keep: Keep | None = None
) -> UnpackedLayer:
    """Make the layer `diff_id` of an archive in a file, which is a blob already or is made one by `keep`.

    Raises:
        DiffIdMismatch: the archive unpacks to another layer; `position` is its place in the image.
        WindlassError: the archive is bad or the host refused; no layer is left of it.
    """

    def check(result: UnpackResult) -> None:
        if result.diff_id != diff_id:
            raise DiffIdMismatch(position, diff_id, result.diff_id)

    return await _unpack(shelf, lease, input_fd, keep or _kept_already, check=check)


async def _unpack(
    shelf: Shelf,
    lease: Lease,
    input_fd: int,
    keep: Keep,
    *,
    ingest: Ingest | None = None,
    check: Callable[[UnpackResult], None] = lambda _result: None,
) -> UnpackedLayer:
    incoming, result = await _apply(shelf, input_fd, ingest)
    try:
        check(result)
        media_type = _MEDIA_TYPES.get(result.compression)
        if media_type is None:
            archive_fd = input_fd if ingest is None else ingest.fileno()
            descriptor = await _keep_expanded(shelf, lease, archive_fd, result)
        else:
            await lease.hold(blobs=[result.blob_digest])
            await keep(result)
            descriptor = Descriptor(media_type, result.blob_digest, result.blob_bytes)
        return await _commit(shelf, lease, incoming, result, descriptor)
    except BaseException:
        await run_blocking(incoming.abort)
        raise


async def _kept_already(_result: UnpackResult) -> None:
    """For an archive that is a blob of the store."""


async def _apply(shelf: Shelf, input_fd: int, ingest: Ingest | None) -> tuple[IncomingLayer, UnpackResult]:
    """Have a worker unpack; what it made is the caller's to commit or abort."""
    incoming = await acquire_blocking(IncomingLayer.abort, shelf.layers.prepare)
    root_fd = -1
    try:
        root_fd = incoming.open()
        fds = [input_fd, root_fd] if ingest is None else [input_fd, root_fd, ingest.fileno()]
        outcome = await shelf.launcher.run_job("unpack", {"keep": ingest is not None}, fds)
        return incoming, msgspec.convert(outcome, UnpackResult)
    except BaseException:
        await run_blocking(incoming.abort)
        raise
    finally:
        if root_fd >= 0:
            os.close(root_fd)


async def _keep_expanded(shelf: Shelf, lease: Lease, archive_fd: int, result: UnpackResult) -> Descriptor:
    """Keep the uncompressed archive where its compression has no media type (xz, bzip2)."""
    digest = Digest(result.diff_id)
    await lease.hold(blobs=[digest])
    expanded = await acquire_blocking(Ingest.abort, shelf.blobs.ingest, None, digest, result.diff_bytes)
    try:
        os.lseek(archive_fd, 0, os.SEEK_SET)
        await shelf.launcher.run_job("expand", {}, [archive_fd, expanded.fileno()])
        await run_blocking(expanded.commit_written, digest, result.diff_bytes, Durability.DEFERRED)
    finally:
        await run_blocking(expanded.abort)
    return Descriptor(media_types.OCI_LAYER, digest, result.diff_bytes)


async def _commit(
    shelf: Shelf, lease: Lease, incoming: IncomingLayer, result: UnpackResult, descriptor: Descriptor
) -> UnpackedLayer:
    await lease.hold(layers=[result.diff_id])
    name = await run_blocking(incoming.commit)
    blob = LayerBlobRow(descriptor.digest, result.diff_id, descriptor.size)
    row = await shelf.rows.add_layer(LayerRow(result.diff_id, name, result.size_bytes, boot_id()), blob)
    shelf.catalog.put_layer(row, blob)
    if row.short != name:
        # Somebody else made the same layer meanwhile.
        await run_blocking(shelf.layers.remove, LayerName(name))
    return UnpackedLayer(row, descriptor)


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Return the kernel's word for this boot of the machine."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def _close(file: BinaryIO) -> None:
    file.close()
