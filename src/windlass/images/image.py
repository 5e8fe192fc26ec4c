"""An image in the store, as a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from windlass.base.errors import NotFound
from windlass.base.ids import SHORT_ID_LENGTH
from windlass.spec.digest import DiffId, Digest, encoded
from windlass.spec.image import ImageConfig, Manifest
from windlass.spec.platform import Platform
from windlass.spec.reference import ImageRef

Emit = Callable[[str, str, str, Mapping[str, str]], None]
"""Takes an event: type ("image"), action, actor id, attributes."""

Progress = Callable[[Mapping[str, object]], None]
"""Takes one message of a progress stream, in the shape that the Engine API gives it."""


class NoSuchImage(NotFound):
    """No image has the name, id or digest."""

    def __init__(self, name: ImageRef | str) -> None:
        shown = name.with_default_tag().familiar if isinstance(name, ImageRef) else name
        super().__init__(f"No such image: {shown}")


@dataclass(frozen=True, slots=True)
class ImageUser:
    """A container made from an image."""

    container_id: str
    running: bool


UsersOf = Callable[[str], Iterable[ImageUser]]
"""Tells which containers use the image of an id."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image: parsed documents, and what the store adds. `size_bytes` is the sum of its layers' files.

    `id` is the digest of the raw configuration and `manifest_digest` of the raw manifest; both are blobs of the store.
    `tagged_ns` is when a user last tagged it, 0 for never.
    """

    id: Digest
    config: ImageConfig
    manifest: Manifest
    manifest_digest: Digest
    size_bytes: int
    created_ns: int
    parent: str = ""
    tagged_ns: int = 0
    retired: bool = False

    @property
    def short_id(self) -> str:
        """The first twelve digits of the id, as people see it."""
        return short_id(self.id)

    @property
    def platform(self) -> Platform:
        """What the image runs on."""
        return self.config.platform

    @property
    def diff_ids(self) -> list[DiffId]:
        """Digests of the uncompressed layers, bottom first."""
        return self.config.diff_ids

    @property
    def labels(self) -> dict[str, str]:
        """The image's labels: a stranger's words."""
        return self.config.config.labels or {}


def short_id(digest: str) -> str:
    """Return the first twelve digits of a digest."""
    return encoded(digest)[:SHORT_ID_LENGTH]
