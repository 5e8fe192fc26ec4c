"""Paths of requests: what they look up, and what the thing is called."""

from __future__ import annotations

import pytest

from windlass.files.paths import requested


@pytest.mark.parametrize(
    ("path", "absolute", "directory", "base", "name"),
    [
        ("/a/b", "/a/b", b"a", "b", "b"),
        ("a/b", "/a/b", b"a", "b", "b"),
        ("/a/b/", "/a/b/", b"a/b", "", "b"),
        ("/a/b/.", "/a/b/.", b"a/b", ".", "."),
        ("/a/./b//c", "/a/b/c", b"a/b", "c", "c"),
        ("/../../a", "/a", b".", "a", "a"),
        ("/a/..", "/", b".", "", "/"),
        ("/", "/", b".", "", "/"),
        ("//", "/", b".", "", "/"),
        ("/.", "/.", b".", ".", "."),
        (".", "/.", b".", ".", "."),
        ("a/../..//b/", "/b/", b"b", "", "b"),
    ],
)
def test_a_path_in_its_parts(path: str, absolute: str, directory: bytes, base: str, name: str) -> None:
    found = requested(path)
    assert (found.absolute, found.directory, found.base, found.name) == (absolute, directory, base, name)


def test_names_that_are_no_utf_8_keep_their_bytes() -> None:
    assert requested("/d/\udcff").whole == b"d/\xff"
