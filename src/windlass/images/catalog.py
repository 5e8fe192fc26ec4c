"""The images, names and layers there are, in memory: every lookup is answered from here without waiting.

It mirrors the tables of `windlass.store.images`: loaded at start, and changed right after a transaction was committed.
Only the event loop's thread uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from windlass.images.image import Image, NoSuchImage
from windlass.spec.digest import encoded
from windlass.spec.image import InvalidImage
from windlass.spec.reference import ImageRef, InvalidReference, parse_image_name, parse_reference
from windlass.store.images import LayerBlobRow, LayerRow, RefRow

_SHA256 = "sha256:"


class Catalog:
    """What is stored, found by id, name, digest or the start of an id."""

    def __init__(self) -> None:
        self._images: dict[str, Image] = {}
        self._refs: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}
        self.layers: dict[str, LayerRow] = {}
        """Unpacked layers by diff id."""
        self.layer_blobs: dict[str, LayerBlobRow] = {}
        """Stored archives of layers by their digest."""

    def __iter__(self) -> Iterator[Image]:
        """Iterate over the images that can be seen."""
        return (image for image in self._images.values() if not image.retired)

    def retired(self) -> list[Image]:
        """Return the images that only containers hold."""
        return [image for image in self._images.values() if image.retired]

    def get(self, image_id: str) -> Image | None:
        """Return the image of a full id, retired or not."""
        return self._images.get(image_id)

    def image_of(self, ref: ImageRef) -> Image | None:
        """Return the image that a name points at; without tag and digest `latest` is meant."""
        image_id = self._refs.get(str(_stored_form(ref)))
        return self._images[image_id] if image_id is not None else None

    def find(self, name: str) -> Image:
        """Return the image that a user means: by id, digest, name, or the start of an id.

        Raises:
            NoSuchImage: there is none, or more than one id starts so.
            InvalidReference: `name` is outside the grammar of names.
        """
        meant = parse_image_name(name)
        if not isinstance(meant, ImageRef):
            image = self._images.get(meant)
            if image is None or image.retired:
                raise NoSuchImage(meant)
            return image
        found = self.image_of(meant) or self._by_prefix(name)
        if found is None:
            raise NoSuchImage(meant if not name.startswith(_SHA256) else name)
        return found

    def _by_prefix(self, text: str) -> Image | None:
        digits = text.removeprefix(_SHA256)
        if not digits or any(digit not in "0123456789abcdef" for digit in digits):
            return None
        matches = [image for image in self if encoded(image.id).startswith(digits)]
        return matches[0] if len(matches) == 1 else None

    def is_id(self, name: str, image: Image) -> bool:
        """Tell whether `name` is (the start of) the image's id and not one of its names."""
        digits = name.removeprefix(_SHA256)
        if not digits or not encoded(image.id).startswith(digits):
            return False
        try:
            return self.image_of(parse_reference(name)) is None
        except InvalidReference:
            return True

    def refs_of(self, image_id: str) -> list[ImageRef]:
        """Return the names of an image, in the order of their familiar forms."""
        refs = [parse_reference(name) for name in self._names.get(image_id, ())]
        return sorted(refs, key=lambda ref: ref.familiar)

    def refs_in(self, ref: ImageRef) -> list[tuple[ImageRef, Image]]:
        """Return every name in the repository of `ref`, with its image."""
        found = [(parse_reference(name), self._images[image_id]) for name, image_id in sorted(self._refs.items())]
        return [(other, image) for other, image in found if other.name == ref.name]

    def children_of(self, image_id: str) -> list[Image]:
        """Return the images made from an image on this host."""
        return [image for image in self if image.parent == image_id]

    def put_image(self, image: Image) -> None:
        """Add an image, or replace what is known of it."""
        self._images[image.id] = image

    def put_refs(self, refs: Iterable[RefRow]) -> None:
        """Point names at images that are there."""
        for ref in refs:
            self._forget_name(ref.name)
            self._refs[ref.name] = ref.image_id
            self._names.setdefault(ref.image_id, set()).add(ref.name)

    def drop_refs(self, refs: Iterable[ImageRef]) -> None:
        """Forget names."""
        for ref in refs:
            self._forget_name(str(ref))

    def _forget_name(self, name: str) -> None:
        image_id = self._refs.pop(name, None)
        if image_id is not None:
            self._names[image_id].discard(name)

    def drop_image(self, image_id: str) -> None:
        """Forget an image and its names."""
        for name in self._names.pop(image_id, set()):
            self._refs.pop(name, None)
        self._images.pop(image_id, None)

    def put_layer(self, layer: LayerRow, blob: LayerBlobRow | None = None) -> None:
        """Add a layer and one of its archives."""
        self.layers[layer.diff_id] = layer
        if blob is not None:
            self.layer_blobs[blob.digest] = blob

    def drop_layer(self, diff_id: str) -> None:
        """Forget a layer and its archives."""
        self.layers.pop(diff_id, None)
        for digest in [blob.digest for blob in self.layer_blobs.values() if blob.diff_id == diff_id]:
            del self.layer_blobs[digest]

    def shorts_of(self, image: Image) -> tuple[str, ...]:
        """Return the layers' directory names, bottom first.

        Raises:
            InvalidImage: a layer is missing.
        """
        try:
            return tuple(self.layers[diff_id].short for diff_id in image.diff_ids)
        except KeyError as error:
            raise InvalidImage(f"layer {error.args[0]} of image {image.id} does not exist") from None


def _stored_form(ref: ImageRef) -> ImageRef:
    """Return the form in which a reference is kept: one with both a tag and a digest is kept by its digest."""
    if ref.digest:
        return ImageRef(ref.domain, ref.path, digest=ref.digest)
    return ref.with_default_tag()
