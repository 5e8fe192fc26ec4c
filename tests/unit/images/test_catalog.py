"""Lookups: names before ids, and no guess where an id's start is not enough."""

from __future__ import annotations

import pytest

from windlass.base.errors import InvalidParameter
from windlass.images.catalog import Catalog
from windlass.images.image import Image, NoSuchImage
from windlass.spec import media_types
from windlass.spec.digest import Digest
from windlass.spec.image import Descriptor, ImageConfig, Manifest
from windlass.spec.reference import parse_reference
from windlass.store.images import RefRow

FIRST, SECOND = "sha256:aabb" + "0" * 60, "sha256:aacc" + "0" * 60


def _image(image_id: str, *, parent: str = "", retired: bool = False) -> Image:
    manifest = Manifest(2, Descriptor(media_types.OCI_CONFIG, image_id, 1), [])
    return Image(Digest(image_id), ImageConfig(), manifest, Digest(image_id), 0, 0, parent, retired=retired)


@pytest.fixture
def catalog() -> Catalog:
    catalog = Catalog()
    catalog.put_image(_image(FIRST))
    catalog.put_image(_image(SECOND))
    return catalog


def _name(catalog: Catalog, name: str, image_id: str) -> None:
    catalog.put_refs([RefRow(str(parse_reference(name)), image_id, 0)])


def test_the_start_of_an_id_must_be_unique(catalog: Catalog) -> None:
    assert catalog.find("aab").id == FIRST
    assert catalog.find("sha256:aac").id == SECOND
    for text in ("aa", "sha256:aa", "abc", "sha256:"):
        with pytest.raises((NoSuchImage, InvalidParameter)):
            catalog.find(text)


def test_a_name_wins_over_an_id(catalog: Catalog) -> None:
    _name(catalog, "aabb:latest", SECOND)
    assert catalog.find("aabb").id == SECOND
    assert not catalog.is_id("aabb", catalog.find("aabb"))
    assert catalog.is_id("aabb0", catalog.find("aabb0"))


def test_a_tag_with_a_digest_means_the_digest(catalog: Catalog) -> None:
    digest = "sha256:" + "1" * 64
    _name(catalog, f"a@{digest}", FIRST)
    assert catalog.find(f"a:anything@{digest}").id == FIRST
    with pytest.raises(NoSuchImage):
        catalog.find("a:anything")


def test_a_retired_image_is_found_by_nothing(catalog: Catalog) -> None:
    catalog.put_image(_image(FIRST, retired=True))
    for text in (FIRST, "aabb", FIRST[7:]):
        with pytest.raises(NoSuchImage):
            catalog.find(text)
    assert catalog.get(FIRST) is not None
    assert [image.id for image in catalog] == [SECOND]


def test_names_go_with_their_image(catalog: Catalog) -> None:
    _name(catalog, "a:1", FIRST)
    _name(catalog, "a:2", SECOND)
    _name(catalog, "a:1", SECOND)
    assert catalog.refs_of(FIRST) == []
    assert [ref.familiar for ref in catalog.refs_of(SECOND)] == ["a:1", "a:2"]
    catalog.drop_image(SECOND)
    with pytest.raises(NoSuchImage):
        catalog.find("a:1")


def test_children(catalog: Catalog) -> None:
    catalog.put_image(_image(SECOND, parent=FIRST))
    assert [image.id for image in catalog.children_of(FIRST)] == [SECOND]
