"""Images as the formats have them: descriptors, manifests, indexes, configurations.

Parsed values are views. Whoever parses keeps the raw bytes beside them, for a digest is over bytes as they came and
nothing is ever encoded again to compute one. Everything parsed here was written by a stranger: sizes and counts are
bounded, and a document that could be read as two kinds of thing is refused (CVE-2021-41190).

Source: OCI image-spec v1.1: descriptor.md, manifest.md, image-index.md, config.md.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from windlass.base.errors import InvalidParameter
from windlass.spec import media_types
from windlass.spec.container import ContainerConfig
from windlass.spec.digest import DiffId, parse_digest
from windlass.spec.platform import Platform

MANIFEST_LIMIT_BYTES = 4 << 20
CONFIG_LIMIT_BYTES = 8 << 20
LAYER_LIMIT = 127
INDEX_LIMIT = 4096
INDEX_DEPTH_LIMIT = 4

_T = TypeVar("_T")


class InvalidImage(InvalidParameter):
    """An image document is outside its specification."""


class Descriptor(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What some bytes are, how many they are, and their digest. Source: descriptor.md."""

    media_type: str
    digest: str
    size: int
    urls: list[str] | None = None
    annotations: dict[str, str] | None = None
    platform: Platform | None = None
    artifact_type: str = ""

    def __post_init__(self) -> None:
        parse_digest(self.digest)
        if not 0 <= self.size < 1 << 63:
            raise InvalidImage(f"invalid descriptor: size {self.size} of {self.digest}")


class Manifest(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One image: its configuration and its layers, bottom first. Source: manifest.md."""

    schema_version: int
    config: Descriptor
    layers: list[Descriptor]
    media_type: str = ""
    annotations: dict[str, str] | None = None
    artifact_type: str = ""


class Index(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Several images under one name, told apart by platform. Source: image-index.md."""

    schema_version: int
    manifests: list[Descriptor]
    media_type: str = ""
    annotations: dict[str, str] | None = None


class RootFs(msgspec.Struct, frozen=True):
    """The digests of the uncompressed layers, bottom first."""

    type: str = "layers"
    diff_ids: list[str] = []


class History(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one layer came to be. Source: config.md, `history`."""

    created: str = ""
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


class ImageConfig(msgspec.Struct, frozen=True):
    """An image's configuration. Source: config.md, with the members that Docker adds."""

    architecture: str = ""
    os: str = ""
    variant: str = ""
    os_version: str = msgspec.field(default="", name="os.version")
    created: str = ""
    author: str = ""
    comment: str = ""
    docker_version: str = ""
    config: ContainerConfig = msgspec.field(default_factory=ContainerConfig)
    rootfs: RootFs = msgspec.field(default_factory=RootFs)
    history: list[History] = []

    @property
    def platform(self) -> Platform:
        """What the image runs on."""
        return Platform(architecture=self.architecture, os=self.os or "linux", variant=self.variant)

    @property
    def diff_ids(self) -> list[DiffId]:
        """Digests of the uncompressed layers, bottom first."""
        return [DiffId(diff_id) for diff_id in self.rootfs.diff_ids]


class _Shape(msgspec.Struct, rename="camel"):
    """Just enough of a document to tell which kind it is."""

    media_type: str = ""
    schema_version: int = 0
    config: msgspec.Raw = msgspec.Raw()
    layers: msgspec.Raw = msgspec.Raw()
    manifests: msgspec.Raw = msgspec.Raw()
    fs_layers: msgspec.Raw = msgspec.Raw()


def parse_manifest(raw: bytes, media_type: str = "") -> Manifest | Index:
    """Return the manifest or index in `raw`; `media_type` is what its descriptor or Content-Type called it.

    Raises:
        InvalidImage: not JSON of the schema, too large, ambiguous, or not of the type it was announced as.
    """
    if len(raw) > MANIFEST_LIMIT_BYTES:
        raise InvalidImage(f"manifest size exceeds the limit of {MANIFEST_LIMIT_BYTES} bytes")
    shape = _decode(raw, _Shape, "manifest")
    announced = media_types.essence(media_type)
    if announced in media_types.SCHEMA1_MANIFESTS or shape.schema_version == 1 or shape.fs_layers:
        raise InvalidImage(
            "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. "
            "Push the image in an OCI or Docker schema 2 format."
        )
    kind = _kind(shape, announced)
    if kind in media_types.INDEXES:
        return _checked_index(_decode(raw, Index, "index"))
    return _checked_manifest(_decode(raw, Manifest, "manifest"))


def _kind(shape: _Shape, announced: str) -> str:
    """Return the one media type that the document's shape, its own word and its announcement agree on."""
    is_index, is_manifest = bool(shape.manifests), bool(shape.config or shape.layers)
    if is_index == is_manifest:
        raise InvalidImage("invalid manifest: it must have either `manifests` or `config` and `layers`")
    known = media_types.INDEXES if is_index else media_types.MANIFESTS
    stated = shape.media_type
    if stated and stated not in known:
        raise InvalidImage(f"invalid manifest: media type {stated[:100]!r} does not suit its content")
    # Registries serve manifests as plain JSON where they do not know better; that says nothing, so nothing is lost.
    if announced and announced not in known and announced not in ("application/json", "text/plain"):
        raise InvalidImage(f"unsupported manifest media type {announced[:100]!r}")
    if stated and announced in known and stated != announced:
        raise InvalidImage(f"mismatched manifest media type: announced {announced!r}, stated {stated!r}")
    return stated or (announced if announced in known else next(iter(known)))


def _checked_index(index: Index) -> Index:
    if index.schema_version != 2:
        raise InvalidImage(f"unsupported index schema version {index.schema_version}")
    if len(index.manifests) > INDEX_LIMIT:
        raise InvalidImage(f"number of manifests in an index exceeds the limit of {INDEX_LIMIT}")
    return index


def _checked_manifest(manifest: Manifest) -> Manifest:
    if manifest.schema_version != 2:
        raise InvalidImage(f"unsupported manifest schema version {manifest.schema_version}")
    if len(manifest.layers) > LAYER_LIMIT:
        raise InvalidImage(f"max depth exceeded: an image has at most {LAYER_LIMIT} layers")
    if manifest.config.media_type not in media_types.CONFIGS:
        raise InvalidImage(f"unsupported media type {manifest.config.media_type[:100]!r} of an image configuration")
    for layer in manifest.layers:
        if layer.media_type not in media_types.LAYERS:
            raise InvalidImage(f"unsupported media type {layer.media_type[:100]!r} of a layer")
    return manifest


def parse_config(raw: bytes) -> ImageConfig:
    """Return the image configuration in `raw`. Members that are null count as absent, as in Go.

    Raises:
        InvalidImage: not JSON of the schema, too large, or with too many layers.
    """
    if len(raw) > CONFIG_LIMIT_BYTES:
        raise InvalidImage(f"image configuration exceeds the limit of {CONFIG_LIMIT_BYTES} bytes")
    tree = _without_nulls(_decode(raw, dict[str, object], "image configuration"))
    try:
        config = msgspec.convert(tree, ImageConfig)
    except (msgspec.ValidationError, RecursionError) as error:
        raise InvalidImage(f"invalid image configuration: {error}") from None
    if config.rootfs.type != "layers":
        raise InvalidImage(f"invalid image configuration: rootfs type {config.rootfs.type[:100]!r}")
    if len(config.rootfs.diff_ids) > LAYER_LIMIT:
        raise InvalidImage(f"max depth exceeded: an image has at most {LAYER_LIMIT} layers")
    for diff_id in config.rootfs.diff_ids:
        parse_digest(diff_id)
    return config


def _decode(raw: bytes, kind: type[_T], what: str) -> _T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidImage(f"invalid {what}: {error}") from None


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_nulls(member) for member in value]
    return value
