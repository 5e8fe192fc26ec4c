"""Layers: complete or not there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from windlass.base.errors import InvalidParameter
from windlass.snapshots.naming import LayerName, is_name, random_name
from windlass.snapshots.overlay import OVERLAY_OPTIONS, LayerNotFound, LayerStore
from windlass.snapshots.usage import disk_usage
from windlass.spec.mounts import OverlayMount


@pytest.fixture
def store(tmp_path: Path) -> LayerStore:
    return LayerStore(str(tmp_path / "root"))


def committed(store: LayerStore, *names: str) -> LayerName:
    incoming = store.prepare()
    for name in names:
        path = Path(incoming.path, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return incoming.commit()


def test_names_are_short_and_clean() -> None:
    drawn = {random_name() for _ in range(1000)}
    assert len(drawn) == 1000
    assert all(is_name(name) for name in drawn)


def test_layer_appears_at_commit(store: LayerStore) -> None:
    incoming = store.prepare()
    Path(incoming.path, "f").write_text("x")
    assert list(store.walk()) == [] and not store.exists(incoming.name)
    name = incoming.commit()
    store.sync()
    assert list(store.walk()) == [name]
    assert Path(store.path(name), "f").read_text() == "x"


def test_modes_whatever_the_mask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        store = LayerStore(str(tmp_path / "root"))
        name = committed(store, "f")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(store.path(name)).st_mode) == 0o755
    assert stat.S_IMODE(os.stat(Path(store.path(name)).parent).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(store.directory).st_mode) == 0o700


def test_aborted_layer_is_gone(store: LayerStore) -> None:
    incoming = store.prepare()
    Path(incoming.path, "f").write_text("x")
    incoming.abort()
    incoming.abort()
    assert os.listdir(store.directory) == []


def test_mount_is_top_first_and_relative(store: LayerStore) -> None:
    bottom, top = committed(store), committed(store)
    assert store.mount([bottom, top], "/u", "/w") == OverlayMount(
        base=store.directory, lower=(f"{top}/d", f"{bottom}/d"), upper="/u", work="/w", options=OVERLAY_OPTIONS
    )


def test_mount_of_what_is_missing_or_half_given(store: LayerStore) -> None:
    with pytest.raises(LayerNotFound):
        store.mount([LayerName("aaaaaaaa")])
    with pytest.raises(InvalidParameter):
        store.mount([committed(store)], upper="/u")


@pytest.mark.parametrize("name", ["", "..", "a/../../x", "incoming-aaaaaaaa", "AAAAAAAA", "aaaaaaa1", "aaaaaaaaa"])
def test_what_is_no_name_never_becomes_a_path(store: LayerStore, name: str) -> None:
    for call in (store.path, store.exists, store.remove, store.usage):
        with pytest.raises(InvalidParameter):
            call(LayerName(name))


def test_removed_layer_is_gone_and_again_is_fine(store: LayerStore) -> None:
    name = committed(store, "a/b/c", "d")
    store.remove(name)
    store.remove(name)
    assert os.listdir(store.directory) == []


def test_removal_follows_no_link(store: LayerStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    incoming = store.prepare()
    Path(incoming.path, "link").symlink_to(outside)
    store.remove(incoming.commit())
    assert (outside / "kept").exists()


def test_interrupted_work_is_cleaned_up_at_the_start(store: LayerStore) -> None:
    kept = committed(store, "f")
    Path(store.prepare().path, "half").write_text("x")
    interrupted = committed(store, "a/b")
    os.rename(f"{store.directory}/{interrupted}", f"{store.directory}/trash-{interrupted}")
    assert store.clean_up() == 2
    assert os.listdir(store.directory) == [kept]


def test_very_deep_trees_are_removed(store: LayerStore) -> None:
    incoming = store.prepare()
    fd = incoming.open()
    for _ in range(1500):
        os.mkdir("d", dir_fd=fd)
        child = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
        os.close(fd)
        fd = child
    os.close(fd)
    store.remove(incoming.commit())
    assert os.listdir(store.directory) == []


def test_usage_counts_hard_links_once(store: LayerStore) -> None:
    incoming = store.prepare()
    path = Path(incoming.path)
    (path / "a").write_bytes(b"x" * 100_000)
    name = incoming.commit()
    alone = store.usage(name)
    assert 100_000 <= alone < 200_000
    os.link(Path(store.path(name), "a"), Path(store.path(name), "b"))
    assert store.usage(name) == alone
    with pytest.raises(LayerNotFound):
        store.usage(LayerName("aaaaaaaa"))


def test_usage_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 1_000_000)
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(tmp_path)
    assert disk_usage(str(tree)) < 100_000
