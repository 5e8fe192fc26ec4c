"""CVE-2026-17106 (go-archive): links in a tar made extraction create or overwrite files outside the root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.archives import apply, census, directory, file, hardlink, symlink, tar

from windlass.base.errors import InvalidParameter

pytestmark = pytest.mark.root


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside"
    path.mkdir()
    (path / "victim").write_text("precious")
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    path.mkdir()
    return path


@pytest.mark.parametrize(
    "template", [b"%s/victim", b"../outside/victim", b"x/../../outside/victim", b"link/victim", b"link"]
)
def test_hard_link_to_the_outside(root: Path, outside: Path, template: bytes) -> None:
    target = template % os.fsencode(outside) if b"%s" in template else template
    before = census(outside)
    planted = symlink(b"link", os.fsencode(outside))
    overwrite = [hardlink(b"mine", target), file(b"mine", b"changed")]
    try:
        apply(tar(planted, *overwrite), root)
    except InvalidParameter:
        pass
    assert census(outside) == before


def test_hard_link_to_a_planted_link_is_a_link(root: Path, outside: Path) -> None:
    """The link's own inode is linked: writing to the new name replaces it and follows nothing."""
    before = census(outside)
    apply(
        tar(
            symlink(b"a", os.fsencode(outside / "victim")),
            hardlink(b"b", b"a"),
            file(b"b", b"changed"),
            symlink(b"c", os.fsencode(outside / "new")),
            hardlink(b"d", b"c"),
            file(b"d", b"created"),
        ),
        root,
    )
    assert census(outside) == before
    assert (root / "b").read_bytes() == b"changed" and not (root / "b").is_symlink()


@pytest.mark.parametrize("target", [b"", b".", b"missing", b"missing/deep", b"self", b"d", b"f/x"])
def test_hard_link_to_nothing_or_a_directory_is_refused(root: Path, target: bytes) -> None:
    with pytest.raises(InvalidParameter):
        apply(tar(directory(b"d/"), file(b"f"), hardlink(b"self", target)), root)


def test_swapping_a_directory_for_a_link_under_open_descriptors(root: Path, outside: Path) -> None:
    before = census(outside)
    apply(
        tar(
            directory(os.fsencode(outside)),
            file(b"a/b/c/1"),
            symlink(b"a/b", os.fsencode(outside)),
            file(b"a/b/victim", b"changed"),
            file(b"a/b/c/2"),
            symlink(b"a", b"/"),
            file(b"a/victim", b"changed"),
        ),
        root,
    )
    assert census(outside) == before
