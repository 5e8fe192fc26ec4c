"""`docker save`: images as one archive that is an OCI layout and Docker's format at once.

    oci-layout  index.json                 OCI: every name is an entry of the index
    manifest.json  repositories            Docker's, and what came before it
    blobs/sha256/<hex>                     manifests, configurations, layers: each once

Layers are written as they are stored, so that manifests keep their digests and nothing is compressed again. The same
images give the same bytes.

Source: OCI image-spec v1.1, image-layout.md; Docker 25 and later, "docker image save".
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from windlass.base.threads import run_blocking
from windlass.images.documents import make_manifest
from windlass.images.feed import wide_pipe
from windlass.images.image import Image, NoSuchImage
from windlass.images.repack import ensure_archives
from windlass.images.save_job import Member, SaveParams
from windlass.images.shelf import Shelf
from windlass.images.stored_layers import stored_descriptor
from windlass.spec import media_types
from windlass.spec.digest import Digest, digest_bytes, encoded
from windlass.spec.image import MANIFEST_LIMIT_BYTES, Descriptor, InvalidImage, Manifest
from windlass.spec.platform import Platform
from windlass.spec.reference import ImageRef, parse_image_name

_PIECE_BYTES = 1 << 20
_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
_encoder = msgspec.json.Encoder(order="sorted")


@dataclass(slots=True)
class _Chosen:
    """An image to be saved, with the names it goes by in the archive."""

    image: Image
    refs: list[ImageRef] = field(default_factory=list)


class SavedArchive:
    """An archive, ready to be written."""

    def __init__(self, shelf: Shelf, params: SaveParams, images: Sequence[Image]) -> None:
        self._shelf = shelf
        self._params = params
        self._images = images

    async def write_to(self, fd: int) -> int:
        """Have a worker write the archive to `fd` (a client's connection, a file); return its size in bytes.

        `fd` stays the caller's to close, and is a blocking one afterwards.

        Raises:
            Cancelled: the reader went away.
            System: the host refused.
        """
        blobs_fd = os.open(self._shelf.blobs.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            params: dict[str, object] = msgspec.to_builtins(self._params)
            result = await self._shelf.launcher.run_job("save", params, [fd, blobs_fd])
        finally:
            os.close(blobs_fd)
        for image in self._images:
            self._shelf.announce("save", image)
        return int(str(result["size_bytes"]))

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the archive piece by piece, for a connection that cannot be handed over.

        Raises:
            System: the host refused.
        """
        read_fd, write_fd = wide_pipe()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write_and_close(write_fd))
                while piece := await run_blocking(os.read, read_fd, _PIECE_BYTES):
                    yield piece
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            os.close(read_fd)

    async def _write_and_close(self, fd: int) -> None:
        try:
            await self.write_to(fd)
        finally:
            os.close(fd)


async def save(shelf: Shelf, names: Iterable[str], platform: Platform | None = None) -> SavedArchive:
    """Return the archive of the images that `names` mean: ids, names, or repositories for all their tags.

    Raises:
        NoSuchImage: a name means none.
        InvalidImage: an image is not for `platform`, or its layers' archives are not stored.
    """
    chosen: dict[str, _Chosen] = {}
    for name in names:
        _choose(shelf, name, chosen)
    for each in chosen.values():
        if platform is not None and platform.preference(each.image.platform) is None:
            raise InvalidImage(f"image {each.image.short_id} does not provide platform {platform}")
    await ensure_archives(shelf, [each.image for each in chosen.values()])
    params = await run_blocking(_params, shelf, list(chosen.values()))
    return SavedArchive(shelf, params, [each.image for each in chosen.values()])


def _choose(shelf: Shelf, name: str, chosen: dict[str, _Chosen]) -> None:
    meant = parse_image_name(name)
    if isinstance(meant, ImageRef) and meant.is_name_only and (found := shelf.catalog.refs_in(meant)):
        for ref, image in found:
            _add(chosen, image, ref)
        return
    try:
        image = shelf.catalog.find(name)
    except NoSuchImage:
        raise NoSuchImage(name) from None
    is_name = isinstance(meant, ImageRef) and shelf.catalog.image_of(meant) is not None
    _add(chosen, image, meant if is_name and isinstance(meant, ImageRef) else None)


def _add(chosen: dict[str, _Chosen], image: Image, ref: ImageRef | None) -> None:
    entry = chosen.setdefault(image.id, _Chosen(image))
    if ref is not None and ref.tag and not ref.digest and ref not in entry.refs:
        entry.refs.append(ref)


class _Contents:
    """The archive's documents, gathered image by image. Blobs are listed once, in the order of their first use."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._blobs: dict[str, Member] = {}
        self._index: list[dict[str, object]] = []
        self._manifest: list[dict[str, object]] = []
        self._repositories: dict[str, dict[str, str]] = {}

    def add(self, chosen: _Chosen) -> None:
        image = chosen.image
        manifest, raw_manifest = _manifest_of(self._shelf, image)
        descriptor = {
            "mediaType": manifest.media_type or media_types.OCI_MANIFEST,
            "digest": digest_bytes(raw_manifest),
            "size": len(raw_manifest),
            "platform": image.platform,
        }
        self._add_data(digest_bytes(raw_manifest), raw_manifest)
        self._add_blob(image.id, self._shelf.blobs.size(image.id))
        for layer in manifest.layers:
            self._add_blob(layer.digest, layer.size)
        self._index += [descriptor | {"annotations": _annotations(ref)} for ref in chosen.refs] or [descriptor]
        tags = [ref.familiar for ref in chosen.refs]
        layers = [_blob_path(layer.digest) for layer in manifest.layers]
        self._manifest.append({"Config": _blob_path(image.id), "RepoTags": tags or None, "Layers": layers})
        for ref in chosen.refs:
            top = encoded(manifest.layers[-1].digest) if manifest.layers else ""
            self._repositories.setdefault(ref.familiar_name, {})[ref.tag] = top

    def _add_data(self, digest: str, data: bytes) -> None:
        self._blobs.setdefault(digest, Member(_blob_path(digest), data=data))

    def _add_blob(self, digest: str, size: int) -> None:
        self._blobs.setdefault(digest, Member(_blob_path(digest), digest=digest, size=size))

    def members(self) -> list[Member]:
        index = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": self._index}
        found = [
            Member("oci-layout", data=_LAYOUT),
            Member("index.json", data=_encoder.encode(index)),
            Member("manifest.json", data=_encoder.encode(self._manifest) + b"\n"),
        ]
        if self._repositories:
            found.append(Member("repositories", data=_encoder.encode(self._repositories) + b"\n"))
        return [*found, Member("blobs/"), Member("blobs/sha256/"), *self._blobs.values()]


def _params(shelf: Shelf, chosen: list[_Chosen]) -> SaveParams:
    contents = _Contents(shelf)
    for each in chosen:
        contents.add(each)
    return SaveParams(contents.members())


def _manifest_of(shelf: Shelf, image: Image) -> tuple[Manifest, bytes]:
    """Return the image's manifest, or a new one of what is stored where its own layers' archives are not."""
    if all(shelf.blobs.exists(Digest(layer.digest)) for layer in image.manifest.layers):
        return image.manifest, shelf.blobs.read_verified(image.manifest_digest, MANIFEST_LIMIT_BYTES)
    layers = [stored_descriptor(shelf, diff_id) for diff_id in image.diff_ids]
    config = Descriptor(media_types.OCI_CONFIG, image.id, shelf.blobs.size(image.id))
    raw = make_manifest(config, layers)
    return msgspec.json.decode(raw, type=Manifest), raw


def _blob_path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _annotations(ref: ImageRef) -> dict[str, str]:
    return {"io.containerd.image.name": str(ref), "org.opencontainers.image.ref.name": ref.tag}
