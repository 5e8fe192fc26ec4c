"""`docker import`: a root file system's tar becomes an image of one layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from windlass.base.clock import now_ns
from windlass.images.changes import apply_changes
from windlass.images.documents import config_members, make_config, make_manifest
from windlass.images.feed import ByteSource, feed
from windlass.images.image import Image
from windlass.images.register import parse_documents, register
from windlass.images.shelf import Lease, Shelf, leased
from windlass.images.unpack import UnpackedLayer, unpack_stream
from windlass.spec import media_types
from windlass.spec.digest import digest_bytes
from windlass.spec.image import Descriptor
from windlass.spec.platform import Platform, host
from windlass.spec.reference import ImageRef

_MESSAGE = "Imported from -"


async def import_tar(
    shelf: Shelf,
    source: ByteSource,
    ref: ImageRef | None,
    *,
    changes: Iterable[str] = (),
    message: str = "",
    platform: Platform | None = None,
) -> Image:
    """Make an image of a tar, compressed or not, and name it `ref` (tag `latest` when that has none) if one is given.

    Raises:
        InvalidChange: a change is no instruction; nothing was read.
        WindlassError: the tar is bad or the host refused; nothing is left of it.
    """
    config = config_members(apply_changes(changes), empty=True)
    ref = ref.with_default_tag() if ref is not None else None
    async with leased(shelf, "import") as lease:
        layer = await feed(source, lambda fd: unpack_stream(shelf, lease, fd))
        image = await register_layer(
            shelf, lease, layer, config, [ref] if ref else [], message=message or _MESSAGE, platform=platform or host()
        )
    if ref is not None:
        shelf.announce("tag", image, ref.familiar)
    shelf.announce("import", image)
    return image


async def register_layer(
    shelf: Shelf,
    lease: Lease,
    layer: UnpackedLayer,
    config: Mapping[str, object],
    refs: Iterable[ImageRef],
    *,
    message: str,
    platform: Platform,
    created_ns: int = 0,
) -> Image:
    """Make an image of one layer with the configuration members `config`, and point names at it."""
    raw_config = make_config(config, platform, [layer.row.diff_id], created_ns=created_ns or now_ns(), comment=message)
    descriptor = Descriptor(media_types.OCI_CONFIG, digest_bytes(raw_config), len(raw_config))
    documents = parse_documents(raw_config, make_manifest(descriptor, [layer.descriptor]))
    return await register(shelf, lease, documents, refs, tagged=True)
