"""Names as paths below a root."""

from __future__ import annotations

import pytest

from windlass.archive.errors import EntryRefused
from windlass.archive.paths import clean
from windlass.archive.whiteouts import Meaning, meaning


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (b"a/b", b"a/b"),
        (b"./a", b"a"),
        (b"a//b/", b"a/b"),
        (b"/etc/passwd", b"etc/passwd"),
        (b"a/../b", b"b"),
        (b"a/b/../../c/.", b"c"),
        (b"./", b""),
        (b"/", b""),
        (b"a/..", b""),
        (b"...", b"..."),
        (b"a\xff\n", b"a\xff\n"),
    ],
)
def test_cleaned(name: bytes, path: bytes) -> None:
    assert clean(name) == path


@pytest.mark.parametrize("name", [b"..", b"../x", b"a/../../x", b"/../x", b"a\0b", b"a/" * 2048])
def test_refused(name: bytes) -> None:
    with pytest.raises(EntryRefused):
        clean(name)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"a.wh.b", Meaning.PLAIN),
        (b"d/.wh.x", Meaning.WHITEOUT),
        (b".wh.x", Meaning.WHITEOUT),
        (b"d/.wh..x", Meaning.WHITEOUT),
        (b"d/.wh..wh..opq", Meaning.OPAQUE),
        (b".wh..wh.plnk", Meaning.META),
        (b".wh..wh.plnk/12.34", Meaning.META),
        (b"d/.wh..wh.aufs", Meaning.META),
    ],
)
def test_whiteout_names(path: bytes, expected: Meaning) -> None:
    assert meaning(path) is expected


@pytest.mark.parametrize("path", [b".wh.", b"d/.wh..", b"d/.wh...", b".wh.d/x", b"a/.wh.b/c"])
def test_whiteouts_of_nothing_or_with_content_are_refused(path: bytes) -> None:
    with pytest.raises(EntryRefused):
        meaning(path)
