"""`docker commit`: an image of another one and what a container has changed in it.

The changes come as a layer's archive through a pipe: while they are packed, they are hashed and unpacked.
The archive itself is not kept: `windlass.images.repack` makes it again for whoever wants it.

Source: moby, daemon/commit.go; OCI image-spec v1.1, config.md.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import msgspec

from windlass.base.clock import now_ns, rfc3339_nano
from windlass.images.documents import make_manifest
from windlass.images.feed import wide_pipe
from windlass.images.image import Image
from windlass.images.register import parse_documents, register
from windlass.images.shelf import Lease, Shelf, leased
from windlass.images.unpack import UnpackedLayer, unpack_unkept
from windlass.spec import media_types
from windlass.spec.digest import digest_bytes
from windlass.spec.image import CONFIG_LIMIT_BYTES, Descriptor
from windlass.spec.reference import ImageRef

WriteLayer = Callable[[int], Awaitable[bool]]
"""Writes a layer's archive to a descriptor, and tells whether there is anything in it."""

_encoder = msgspec.json.Encoder(order="sorted")
_OCI_TYPES = {
    media_types.DOCKER_LAYER: media_types.OCI_LAYER,
    media_types.DOCKER_LAYER_GZIP: media_types.OCI_LAYER_GZIP,
    media_types.DOCKER_LAYER_ZSTD: media_types.OCI_LAYER_ZSTD,
}


@dataclass(frozen=True, slots=True)
class CommitWords:
    """What is said of the new image: its configuration's members, and how it came to be."""

    config: Mapping[str, object]
    created_by: str = ""
    author: str = ""
    comment: str = ""


async def commit(
    shelf: Shelf, parent: Image, words: CommitWords, ref: ImageRef | None, write_layer: WriteLayer
) -> Image:
    """Make an image of `parent` and one more layer, and name it `ref`, if there is one: `latest` without a tag.

    Raises:
        InvalidImage: there are as many layers as there can be.
        WindlassError: the layer could not be written, or the host refused; nothing is left of it.
    """
    ref = ref.with_default_tag() if ref is not None else None
    async with leased(shelf, "commit") as lease:
        layer = await _layer(shelf, lease, write_layer)
        raw_config = _config(shelf, parent, words, layer)
        descriptor = Descriptor(media_types.OCI_CONFIG, digest_bytes(raw_config), len(raw_config))
        layers = [_as_oci(each) for each in parent.manifest.layers]
        if layer is not None:
            layers.append(layer.descriptor)
        documents = parse_documents(raw_config, make_manifest(descriptor, layers))
        image = await register(shelf, lease, documents, [ref] if ref else [], tagged=True, parent=parent.id)
    if ref is not None:
        shelf.announce("tag", image, ref.familiar)
    return image


async def _layer(shelf: Shelf, lease: Lease, write_layer: WriteLayer) -> UnpackedLayer | None:
    """Make the layer; None when there is nothing in it."""
    read_fd, write_fd = wide_pipe()
    try:
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(_write_and_close(write_layer, write_fd))
            unpacking = group.create_task(unpack_unkept(shelf, lease, read_fd))
    except BaseExceptionGroup as failures:
        # One fault, told as itself: the other side only ended because of it.
        raise failures.exceptions[0] from None
    finally:
        os.close(read_fd)
    # An archive that breaks off ends like any other: only its writer knows that it is whole.
    return unpacking.result() if writing.result() else None


async def _write_and_close(write_layer: WriteLayer, fd: int) -> bool:
    try:
        return await write_layer(fd)
    finally:
        os.close(fd)


def _config(shelf: Shelf, parent: Image, words: CommitWords, layer: UnpackedLayer | None) -> bytes:
    """Return the raw configuration: the parent's, with everything that is new."""
    raw = shelf.blobs.read_verified(parent.id, CONFIG_LIMIT_BYTES)
    document = msgspec.json.decode(raw, type=dict[str, object])
    created = rfc3339_nano(now_ns())
    step: dict[str, object] = {"created": created, "created_by": words.created_by}
    if words.author:
        step["author"] = words.author
    if words.comment:
        step["comment"] = words.comment
    if layer is None:
        step["empty_layer"] = True
    diff_ids = [*parent.diff_ids, *([layer.row.diff_id] if layer is not None else [])]
    # What Docker once wrote of the container that its image was made in.
    for name in ("container", "container_config", "docker_version", "author", "comment"):
        document.pop(name, None)
    document |= {
        "config": dict(words.config),
        "created": created,
        "history": [*msgspec.to_builtins(parent.config.history), step],
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }
    document |= {name: text for name, text in (("author", words.author), ("comment", words.comment)) if text}
    return _encoder.encode(document)


def _as_oci(layer: Descriptor) -> Descriptor:
    """Return the descriptor as an OCI manifest has it: the bytes are the same."""
    return msgspec.structs.replace(layer, media_type=_OCI_TYPES.get(layer.media_type, layer.media_type))
