"""`docker tag`: one more name for an image."""

from __future__ import annotations

from dataclasses import replace

from windlass.base.clock import now_ns
from windlass.base.errors import InvalidParameter
from windlass.images.image import Image
from windlass.images.shelf import Shelf
from windlass.spec.reference import ImageRef
from windlass.store.images import RefRow


async def tag(shelf: Shelf, image: Image, ref: ImageRef) -> None:
    """Point `ref` (tag `latest` when it has none) at an image; what had the name loses it.

    Raises:
        InvalidParameter: `ref` has a digest: those are not chosen.
    """
    if ref.digest:
        raise InvalidParameter("refusing to create a tag with a digest reference")
    named = ref.with_default_tag()
    moment = now_ns()
    rows = [RefRow(str(named), image.id, moment)]
    await shelf.rows.put_refs(rows, moment)
    shelf.catalog.put_refs(rows)
    shelf.catalog.put_image(replace(image, tagged_ns=moment))
    shelf.announce("tag", image, named.familiar)
