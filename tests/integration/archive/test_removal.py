"""Removing trees that somebody has mounted in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.archives import opened

from windlass.base.errors import System
from windlass.linux import removal
from windlass.linux.mount import mount, umount2
from windlass.snapshots.overlay import LayerStore

pytestmark = pytest.mark.root


def test_mount_point_is_not_entered(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    target = tree / "a/mounted"
    target.mkdir(parents=True)
    mount("tmpfs", str(target), "tmpfs", 0, "size=64k")
    try:
        (target / "kept").write_text("x")
        with opened(tmp_path) as fd, pytest.raises(OSError, match="is a mount point"):
            removal.remove(fd, b"tree")
        assert (target / "kept").exists()
    finally:
        umount2(str(target), 0)
    with opened(tmp_path) as fd:
        removal.remove(fd, b"tree")
    assert os.listdir(tmp_path) == []


def test_bind_mount_of_the_same_file_system_is_not_entered(tmp_path: Path) -> None:
    """By its device number it looks like any directory."""
    outside, store = tmp_path / "outside", LayerStore(str(tmp_path / "root"))
    outside.mkdir()
    (outside / "kept").write_text("x")
    incoming = store.prepare()
    target = Path(incoming.path, "bound")
    target.mkdir()
    name = incoming.commit()
    target = Path(store.path(name), "bound")
    mount(str(outside), str(target), None, 0x1000)
    try:
        with pytest.raises(System):
            store.remove(name)
        assert (outside / "kept").exists()
    finally:
        (left,) = os.listdir(store.directory)
        umount2(f"{store.directory}/{left}/d/bound", 0)
    store.clean_up()
    assert os.listdir(store.directory) == []
    assert (outside / "kept").exists()


@pytest.mark.parametrize("depth", [31, 32, 33, 34, 100])
def test_every_depth_around_the_limit(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "tree"
    for level in range(depth):
        path = path / "d"
        path.mkdir(parents=True)
        (path / f"f{level}").touch()
    with opened(tmp_path) as fd:
        removal.remove(fd, b"tree")
        removal.remove(fd, b"tree")
    assert os.listdir(tmp_path) == []


def test_symbolic_link_itself_is_removed(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target/kept").touch()
    (tmp_path / "link").symlink_to("target")
    with opened(tmp_path) as fd:
        removal.remove(fd, b"link")
    assert (tmp_path / "target/kept").exists() and not (tmp_path / "link").is_symlink()
