"""Archives of layers that `commit` made: written only when somebody wants them.

Most commits are built on or run here and never leave this host: their bytes are on the disk once, unpacked. The archive
was hashed when it passed, and the same files give the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from windlass.base.errors import DataLoss
from windlass.base.threads import acquire_blocking, run_blocking
from windlass.content.ingest import Durability, Ingest
from windlass.images.image import Image
from windlass.images.shelf import Shelf
from windlass.snapshots.naming import LayerName
from windlass.spec.digest import DiffId, Digest


async def ensure_archives(shelf: Shelf, images: Iterable[Image]) -> None:
    """Have an archive of every layer of the images that was made here without one.

    Raises:
        DataLoss: the files of a layer are not what they were.
        System: the host refused.
    """
    for image in images:
        for diff_id in image.diff_ids:
            # Only what is stored as it was packed is named by the digest of its uncompressed archive.
            made_here = diff_id in shelf.catalog.layer_blobs
            if made_here and not await run_blocking(shelf.blobs.exists, Digest(diff_id)):
                await _repack(shelf, diff_id)


async def _repack(shelf: Shelf, diff_id: DiffId) -> None:
    path = shelf.layers.path(LayerName(shelf.catalog.layers[diff_id].short))
    ingest = await acquire_blocking(Ingest.abort, shelf.blobs.ingest)
    layer_fd = -1
    try:
        layer_fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        result = await shelf.launcher.run_job("repack", {}, [layer_fd, ingest.fileno()])
        if result["digest"] != diff_id:
            raise DataLoss(f"layer {diff_id} has changed on the disk: its archive would be {result['digest']}")
        size = int(str(result["size_bytes"]))
        await run_blocking(ingest.commit_written, Digest(diff_id), size, Durability.DEFERRED)
    finally:
        if layer_fd >= 0:
            os.close(layer_fd)
        # After a commit there is nothing left to abort.
        await run_blocking(ingest.abort)
