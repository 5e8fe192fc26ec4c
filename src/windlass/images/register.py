"""The last step of everything that makes an image: its documents stored, its row and names in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from windlass.base.clock import now_ns, parse_rfc3339
from windlass.base.threads import run_blocking
from windlass.content.ingest import Durability
from windlass.images.image import Image
from windlass.images.shelf import Lease, Shelf
from windlass.spec.digest import Digest, digest_bytes
from windlass.spec.image import History, ImageConfig, InvalidImage, Manifest, parse_config, parse_manifest
from windlass.spec.reference import ImageRef
from windlass.store.images import ImageRow, RefRow


@dataclass(frozen=True, slots=True)
class Documents:
    """An image's raw documents and what is in them. The digests are over the raw bytes."""

    raw_config: bytes
    raw_manifest: bytes
    config: ImageConfig
    manifest: Manifest

    @property
    def image_id(self) -> Digest:
        """The image's id."""
        return digest_bytes(self.raw_config)

    @property
    def manifest_digest(self) -> Digest:
        """The digest under which a registry would know the image."""
        return digest_bytes(self.raw_manifest)


def parse_documents(raw_config: bytes, raw_manifest: bytes, media_type: str = "") -> Documents:
    """Return an image's documents, checked against one another.

    Raises:
        InvalidImage: one of them is bad, or they are not of the same image.
    """
    config, manifest = parse_config(raw_config), parse_manifest(raw_manifest, media_type)
    if not isinstance(manifest, Manifest):
        raise InvalidImage("invalid manifest: an index where one image's manifest was expected")
    if manifest.config.digest.startswith("sha256:") and manifest.config.digest != digest_bytes(raw_config):
        raise InvalidImage("invalid manifest: its configuration's digest is another one")
    expected, actual = len(manifest.layers), len(config.diff_ids)
    if expected != actual:
        raise InvalidImage(f"invalid manifest, layers length mismatch: expected {expected}, got {actual}")
    return Documents(raw_config, raw_manifest, config, manifest)


async def register(
    shelf: Shelf,
    lease: Lease,
    documents: Documents,
    refs: Iterable[ImageRef],
    *,
    tagged: bool = False,
    parent: str = "",
) -> Image:
    """Make an image of documents whose layers are all there, and point names at it: visible all at once.

    `tagged` says that a user chose the names on this host.

    Raises:
        InvalidImage: a layer is missing.
        StoreRefused: the host refused; no image, no name was changed.
    """
    image = _image(shelf, documents, parent)
    shelf.catalog.shorts_of(image)
    known = shelf.catalog.get(image.id)
    if known is not None:
        # The same image may come with its layers compressed otherwise; what is stored belongs to the first manifest.
        image = replace(known, retired=False)
    await lease.hold(blobs=[image.id, documents.manifest_digest])
    await run_blocking(_store, shelf, documents)
    moment = now_ns()
    rows = [RefRow(str(ref), image.id, moment) for ref in refs]
    tagged_ns = moment if tagged and rows else 0
    row = ImageRow(image.id, image.manifest_digest, image.size_bytes, image.created_ns, image.parent, tagged_ns)
    await shelf.rows.put(row, image.diff_ids, rows)
    image = replace(image, tagged_ns=tagged_ns or image.tagged_ns)
    shelf.catalog.put_image(image)
    shelf.catalog.put_refs(rows)
    return image


def _store(shelf: Shelf, documents: Documents) -> None:
    shelf.blobs.put(documents.raw_config, documents.image_id, Durability.DEFERRED)
    shelf.blobs.put(documents.raw_manifest, documents.manifest_digest, Durability.DEFERRED)


def _image(shelf: Shelf, documents: Documents, parent: str) -> Image:
    layers = [shelf.catalog.layers.get(diff_id) for diff_id in documents.config.diff_ids]
    return Image(
        id=documents.image_id,
        config=documents.config,
        manifest=documents.manifest,
        manifest_digest=documents.manifest_digest,
        size_bytes=sum(layer.size_bytes for layer in layers if layer is not None),
        created_ns=created_ns(documents.config),
        parent=parent,
    )


def created_ns(config: ImageConfig | History) -> int:
    """Return when an image, or a step of it, says it was made, in nanoseconds since the epoch.

    0 when it does not say, or says what is no time.
    """
    try:
        return parse_rfc3339(config.created) if config.created else 0
    except ValueError:
        return 0
