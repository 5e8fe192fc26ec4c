"""Names of images: the grammar, the familiar and canonical forms, and Docker's words for what is wrong."""

from __future__ import annotations

import pytest

from windlass.base.errors import InvalidParameter
from windlass.spec.digest import Digest
from windlass.spec.reference import ImageRef, InvalidReference, parse_image_name, parse_reference

HEX = "a" * 64


@pytest.mark.parametrize(
    ("text", "canonical", "familiar"),
    [
        ("busybox", "docker.io/library/busybox", "busybox"),
        ("busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"),
        ("windlass/hello", "docker.io/windlass/hello", "windlass/hello"),
        ("docker.io/busybox", "docker.io/library/busybox", "busybox"),
        ("index.docker.io/library/busybox", "docker.io/library/busybox", "busybox"),
        ("localhost/a", "localhost/a", "localhost/a"),
        ("localhost:5000/a/b:c", "localhost:5000/a/b:c", "localhost:5000/a/b:c"),
        ("[::1]:5000/a", "[::1]:5000/a", "[::1]:5000/a"),
        ("Registry/a", "Registry/a", "Registry/a"),
        (f"a@sha256:{HEX}", f"docker.io/library/a@sha256:{HEX}", f"a@sha256:{HEX}"),
        (f"a:t@sha256:{HEX}", f"docker.io/library/a:t@sha256:{HEX}", f"a:t@sha256:{HEX}"),
        ("a__b/c---d/e.f", "docker.io/a__b/c---d/e.f", "a__b/c---d/e.f"),
    ],
)
def test_normalises(text: str, canonical: str, familiar: str) -> None:
    ref = parse_reference(text)
    assert str(ref) == canonical
    assert ref.familiar == familiar


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "invalid reference format"),
        ("a:", "invalid reference format"),
        ("a:b:c", "invalid reference format"),
        ("-a", "invalid reference format"),
        ("a//b", "invalid reference format"),
        ("../etc", "invalid reference format"),
        ("a/../b", "invalid reference format"),
        ("a\n", "invalid reference format"),
        ("a:t\n", "invalid reference format"),
        ("a b", "invalid reference format"),
        ("ä", "invalid reference format"),
        ("a:" + "t" * 129, "invalid reference format"),
        ("Busybox", "invalid reference format: repository name (library/Busybox) must be lowercase"),
        ("a/B:c", "invalid reference format: repository name (a/B) must be lowercase"),
        (HEX, f"invalid repository name ({HEX}), cannot specify 64-byte hexadecimal strings"),
        ("a" * 256, "repository name must not be more than 255 characters"),
        ("a" * 100_000, "invalid reference format"),
    ],
)
def test_refuses_in_dockers_words(text: str, message: str) -> None:
    with pytest.raises(InvalidReference) as raised:
        parse_reference(text)
    assert raised.value.message == message


def test_a_digest_of_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(InvalidParameter):
        parse_reference(f"a@md5:{'0' * 32}")


def test_a_tag_is_added_only_where_nothing_is_said() -> None:
    assert parse_reference("a").with_default_tag().tag == "latest"
    assert parse_reference("a:b").with_default_tag().tag == "b"
    assert not parse_reference(f"a@sha256:{HEX}").with_default_tag().tag


def test_a_tag_is_checked() -> None:
    ref = parse_reference("a")
    assert ref.with_tag("1.2").familiar == "a:1.2"
    with pytest.raises(InvalidReference, match="invalid tag format"):
        ref.with_tag(":9")


def test_ids_and_digests_are_no_names() -> None:
    assert parse_image_name(HEX) == Digest(f"sha256:{HEX}")
    assert parse_image_name(f"sha256:{HEX}") == Digest(f"sha256:{HEX}")
    assert parse_image_name("sha256:abc") == ImageRef("docker.io", "library/sha256", "abc")
    assert isinstance(parse_image_name("a" * 12), ImageRef)


def test_the_familiar_form_keeps_what_would_mean_something_else() -> None:
    assert ImageRef("docker.io", "library/localhost").familiar == "localhost"
    assert ImageRef("docker.io", "r.example/a").familiar == "docker.io/r.example/a"
    assert ImageRef("docker.io", "library/a/b").familiar == "library/a/b"
