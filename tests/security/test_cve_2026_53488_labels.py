"""CVE-2026-53488: an image's labels are a stranger's words, and stay data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from windlass.images.catalog import Catalog
from windlass.images.image import Image
from windlass.images.shelf import Shelf
from windlass.spec import media_types
from windlass.spec.container import ContainerConfig
from windlass.spec.digest import Digest
from windlass.spec.image import Descriptor, ImageConfig, Manifest

IMAGE_ID = "sha256:" + "0" * 64


def test_a_label_does_not_pass_for_the_name_in_an_event() -> None:
    events: list[tuple[str, str, str, Mapping[str, str]]] = []
    nothing = cast(Any, None)
    shelf = Shelf(Catalog(), nothing, nothing, nothing, nothing, nothing, lambda *event: events.append(event), "")
    labels = {"name": "trusted/image:latest", "x": "$(reboot)"}
    image = Image(
        id=Digest(IMAGE_ID),
        config=ImageConfig(config=ContainerConfig(labels=labels)),
        manifest=Manifest(2, Descriptor(media_types.OCI_CONFIG, IMAGE_ID, 1), []),
        manifest_digest=Digest(IMAGE_ID),
        size_bytes=0,
        created_ns=0,
    )
    shelf.announce("load", image)
    assert events == [("image", "load", IMAGE_ID, {"name": IMAGE_ID, "x": "$(reboot)"})]
