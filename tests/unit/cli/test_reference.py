"""Image names."""

from __future__ import annotations

import pytest

from windlass.cli.reference import is_id, parse_reference

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "name", "familiar"),
    [
        ("busybox", "docker.io/library/busybox", "busybox:latest"),
        ("windlass/busybox:1", "docker.io/windlass/busybox", "windlass/busybox:1"),
        ("localhost/x", "localhost/x", "localhost/x:latest"),
        ("host:5000/a/b", "host:5000/a/b", "host:5000/a/b:latest"),
        ("index.docker.io/a", "docker.io/library/a", "a:latest"),
        (f"a@{DIGEST}", "docker.io/library/a", f"a@{DIGEST}"),
        ("a__b/c-d.e", "docker.io/a__b/c-d.e", "a__b/c-d.e:latest"),
        ("[::1]:5000/a", "[::1]:5000/a", "[::1]:5000/a:latest"),
    ],
)
def test_names_are_completed(text: str, name: str, familiar: str) -> None:
    reference = parse_reference(text).with_default_tag()
    assert (reference.name, reference.familiar) == (name, familiar)


@pytest.mark.parametrize(
    "text", ["", "-", "a b", "a:", "a:-x", "a//b", "a_-b", "a___b", "-a/b.c/d", "a@sha256:1", "a:" + "x" * 129]
)
def test_malformed_names(text: str) -> None:
    with pytest.raises(ValueError, match="invalid reference format"):
        parse_reference(text)


def test_upper_case_and_bare_ids_are_named() -> None:
    with pytest.raises(ValueError, match=r"repository name \(library/Bad\) must be lowercase"):
        parse_reference("Bad")
    with pytest.raises(ValueError, match="cannot specify 64-byte hexadecimal strings"):
        parse_reference("f" * 64)
    assert is_id("f" * 64) and is_id(DIGEST) and not is_id("f" * 12)
