"""What an image archive means: Docker's `manifest.json`, an OCI layout's `index.json`, or both in one.

Source: OCI image-spec v1.1, image-layout.md; Docker, "docker image save", "Image JSON".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from windlass.base.errors import WindlassError
from windlass.images.stage_job import StagedFile, Table
from windlass.spec.digest import digest_bytes, encoded, parse_digest
from windlass.spec.image import (
    CONFIG_LIMIT_BYTES,
    INDEX_DEPTH_LIMIT,
    MANIFEST_LIMIT_BYTES,
    Descriptor,
    ImageConfig,
    Index,
    InvalidImage,
    Manifest,
    parse_config,
    parse_manifest,
)
from windlass.spec.platform import Platform
from windlass.spec.reference import ImageRef, InvalidReference, parse_reference

_MAX_IMAGES = 1024
_MAX_LINKS = 8
# An index may name one document many times, and that one others: what is read is bounded as a whole.
_MAX_DOCUMENTS = 4096
_CONTAINERD_NAME = "io.containerd.image.name"
_OCI_NAME = "org.opencontainers.image.ref.name"

ReadFile = Callable[[StagedFile, int], bytes]
"""Reads a staged file of at most so many bytes."""


class InvalidArchive(InvalidImage):
    """The archive is no image archive, or its parts do not fit together."""


class DockerItem(msgspec.Struct, frozen=True):
    """One image of `manifest.json`."""

    config: str = msgspec.field(name="Config")
    layers: list[str] | None = msgspec.field(name="Layers", default=None)
    repo_tags: list[str] | None = msgspec.field(name="RepoTags", default=None)
    parent: str = msgspec.field(name="Parent", default="")


@dataclass(frozen=True, slots=True)
class ArchivedImage:
    """One image found in an archive. `raw_manifest` is empty where the archive has none that fits."""

    raw_config: bytes
    config: ImageConfig
    layers: tuple[StagedFile, ...]
    refs: tuple[ImageRef, ...]
    raw_manifest: bytes = b""


class ArchiveLayout:
    """A staged archive, read as an image archive."""

    def __init__(self, table: Table, read: ReadFile) -> None:
        self._table = table
        self._read = read
        self._documents_left = _MAX_DOCUMENTS

    def images(self, platform: Platform) -> list[ArchivedImage]:
        """Return the images of the archive; of an index with several platforms, the one that suits `platform`.

        Raises:
            InvalidArchive: it is no image archive, or a part is missing.
            InvalidImage, InvalidReference: a document in it is bad.
        """
        if "manifest.json" in self._names():
            found = list(self._docker_images())
        elif "index.json" in self._names():
            found = list(self._oci_images(platform))
        else:
            raise InvalidArchive("invalid archive: it has neither a manifest.json nor an index.json")
        if len(found) > _MAX_IMAGES:
            raise InvalidArchive(f"invalid archive: more than {_MAX_IMAGES} images")
        return found

    def _names(self) -> set[str]:
        return {*self._table.files, *self._table.links}

    def _file(self, name: str) -> StagedFile:
        """Return the file of a name, through the links that old archives share layers with."""
        path = name.removeprefix("./").lstrip("/")
        for _ in range(_MAX_LINKS):
            if path in self._table.files:
                return self._table.files[path]
            if path not in self._table.links:
                break
            path = self._table.links[path]
        raise InvalidArchive(f"invalid archive: {name[:200]!r} is missing")

    def _document(self, name: str, limit_bytes: int) -> bytes:
        return self._read_bounded(self._file(name), name, limit_bytes)

    def _read_bounded(self, file: StagedFile, name: str, limit_bytes: int) -> bytes:
        if file.size > limit_bytes:
            raise InvalidArchive(f"invalid archive: {name[:200]!r} exceeds the limit of {limit_bytes} bytes")
        self._documents_left -= 1
        if self._documents_left < 0:
            raise InvalidArchive(f"invalid archive: more than {_MAX_DOCUMENTS} documents")
        return self._read(file, limit_bytes)

    def _blob(self, descriptor: Descriptor, limit_bytes: int) -> bytes:
        file = self._blob_file(descriptor)
        return self._read_bounded(file, descriptor.digest, limit_bytes)

    def _blob_file(self, descriptor: Descriptor) -> StagedFile:
        algorithm = parse_digest(descriptor.digest).partition(":")[0]
        file = self._file(f"blobs/{algorithm}/{encoded(descriptor.digest)}")
        if file.size != descriptor.size or (algorithm == "sha256" and file.digest != descriptor.digest):
            raise InvalidArchive(f"invalid archive: blob {descriptor.digest} has other content than its name says")
        return file

    def _docker_images(self) -> Iterator[ArchivedImage]:
        raw = self._document("manifest.json", MANIFEST_LIMIT_BYTES)
        try:
            items = msgspec.json.decode(raw, type=list[DockerItem] | None)
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidArchive(f"invalid archive: manifest.json: {error}") from None
        if items is None:
            raise InvalidArchive("invalid manifest, manifest cannot be null (but can be [])")
        manifests = dict(self._oci_manifests())
        for item in items:
            yield self._docker_image(item, manifests)

    def _docker_image(self, item: DockerItem, manifests: dict[str, bytes]) -> ArchivedImage:
        raw_config = self._document(item.config, CONFIG_LIMIT_BYTES)
        config = parse_config(raw_config)
        layers = tuple(self._file(name) for name in item.layers or ())
        expected, actual = len(layers), len(config.diff_ids)
        if expected != actual:
            raise InvalidArchive(f"invalid manifest, layers length mismatch: expected {expected}, got {actual}")
        refs = tuple(_tagged(text) for text in item.repo_tags or ())
        raw_manifest = manifests.get(digest_bytes(raw_config), b"")
        return ArchivedImage(raw_config, config, layers, refs, raw_manifest)

    def _oci_manifests(self) -> Iterator[tuple[str, bytes]]:
        """Yield the manifests of an OCI index beside a manifest.json, by their configuration's digest.

        That index only serves to keep the images' manifests; one that is odd is not missed.
        """
        if "index.json" not in self._table.files:
            return
        try:
            for _descriptor, raw, manifest in self._walk(self._index(), INDEX_DEPTH_LIMIT):
                yield manifest.config.digest, raw
        except WindlassError:
            return

    def _index(self) -> Index:
        index = parse_manifest(self._document("index.json", MANIFEST_LIMIT_BYTES))
        if not isinstance(index, Index):
            raise InvalidArchive("invalid archive: index.json is not an index")
        return index

    def _walk(self, index: Index, depth: int) -> Iterator[tuple[Descriptor, bytes, Manifest]]:
        """Yield every manifest below an index that the archive holds and that is an image's."""
        if depth == 0:
            raise InvalidArchive("invalid archive: indexes are nested too deeply")
        for descriptor in index.manifests:
            raw = self._blob(descriptor, MANIFEST_LIMIT_BYTES)
            found = parse_manifest(raw, descriptor.media_type)
            if isinstance(found, Manifest):
                yield descriptor, raw, found
            else:
                yield from self._walk(found, depth - 1)

    def _oci_images(self, platform: Platform) -> Iterator[ArchivedImage]:
        for descriptor in self._index().manifests:
            raw = self._blob(descriptor, MANIFEST_LIMIT_BYTES)
            found = parse_manifest(raw, descriptor.media_type)
            if isinstance(found, Index):
                raw, found = self._choose(found, platform)
            refs = tuple(_annotated(descriptor))
            yield self._oci_image(raw, found, refs)

    def _choose(self, index: Index, platform: Platform) -> tuple[bytes, Manifest]:
        """Return the manifest of an index that suits `platform` best."""
        candidates = []
        for descriptor, raw, manifest in self._walk(index, INDEX_DEPTH_LIMIT):
            if descriptor.platform is not None:
                preference = platform.preference(descriptor.platform)
            else:
                preference = platform.preference(parse_config(self._blob(manifest.config, CONFIG_LIMIT_BYTES)).platform)
            if preference is not None:
                candidates.append((preference, raw, manifest))
        if not candidates:
            raise InvalidArchive(f"no matching manifest for {platform} in the manifest list entries")
        _, raw, manifest = min(candidates, key=lambda candidate: candidate[0])
        return raw, manifest

    def _oci_image(self, raw: bytes, manifest: Manifest, refs: tuple[ImageRef, ...]) -> ArchivedImage:
        raw_config = self._blob(manifest.config, CONFIG_LIMIT_BYTES)
        config = parse_config(raw_config)
        layers = tuple(self._blob_file(layer) for layer in manifest.layers)
        expected, actual = len(layers), len(config.diff_ids)
        if expected != actual:
            raise InvalidArchive(f"invalid manifest, layers length mismatch: expected {expected}, got {actual}")
        return ArchivedImage(raw_config, config, layers, refs, raw)


def _tagged(text: str) -> ImageRef:
    ref = parse_reference(text)
    if not ref.tag:
        raise InvalidArchive(f'invalid tag "{text}"')
    return ref.with_tag(ref.tag)


def _annotated(descriptor: Descriptor) -> Iterator[ImageRef]:
    """Yield the name that annotations give: containerd's is whole, the specification's may be a tag only."""
    annotations = descriptor.annotations or {}
    for text in (annotations.get(_CONTAINERD_NAME, ""), annotations.get(_OCI_NAME, "")):
        if ":" not in text and "/" not in text:
            continue
        try:
            ref = parse_reference(text).with_default_tag()
        except (InvalidReference, ValueError):
            continue
        yield ref.with_tag(ref.tag or "latest")
        return
