"""Descriptors of the archives that are stored for layers."""

from __future__ import annotations

from windlass.archive.compression import SNIFF_BYTES, Format, sniff
from windlass.images.shelf import Shelf
from windlass.spec import media_types
from windlass.spec.digest import Digest
from windlass.spec.image import Descriptor, InvalidImage
from windlass.store.images import LayerBlobRow

_MEDIA_TYPES = {
    Format.NONE: media_types.OCI_LAYER,
    Format.GZIP: media_types.OCI_LAYER_GZIP,
    Format.ZSTD: media_types.OCI_LAYER_ZSTD,
}


def stored_descriptor(shelf: Shelf, diff_id: str) -> Descriptor:
    """Return the descriptor of an archive of the layer, the smallest that is stored. Blocks.

    Raises:
        InvalidImage: none is stored.
    """
    blobs = [blob for blob in shelf.catalog.layer_blobs.values() if blob.diff_id == diff_id]
    blobs = [blob for blob in blobs if shelf.blobs.exists(Digest(blob.digest))]
    if not blobs:
        raise InvalidImage(f"no archive of layer {diff_id} is stored")
    smallest = min(blobs, key=lambda blob: blob.size_bytes)
    return Descriptor(_media_type(shelf, smallest), smallest.digest, smallest.size_bytes)


def _media_type(shelf: Shelf, blob: LayerBlobRow) -> str:
    with shelf.blobs.open(Digest(blob.digest)) as file:
        return _MEDIA_TYPES[sniff(file.read(SNIFF_BYTES))]
