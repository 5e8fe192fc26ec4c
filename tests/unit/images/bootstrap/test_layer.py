"""The layer's tar: the same files give the same bytes, and nothing of this host is in them."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from windlass.images.bootstrap.layer import LayerWriter

NEWEST_S = 1_700_000_000


def _write(root: Path, target: Path) -> bytes:
    with LayerWriter(str(target)) as layer:
        layer.tree(str(root), NEWEST_S)
    return target.read_bytes()


def _make(root: Path, names: list[str]) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "link").symlink_to("b/file")


def test_order_of_creation_does_not_matter(tmp_path: Path) -> None:
    names = ["b/file", "a/z", "a/b/c"]
    _make(tmp_path / "one", names)
    _make(tmp_path / "two", names[::-1])
    assert _write(tmp_path / "one", tmp_path / "one.tar") == _write(tmp_path / "two", tmp_path / "two.tar")


def test_times_are_clamped_and_owners_are_numbers(tmp_path: Path) -> None:
    root = tmp_path / "root"
    _make(root, ["new", "old"])
    os.utime(root / "old", (1000, 1000))
    _write(root, tmp_path / "root.tar")
    with tarfile.open(tmp_path / "root.tar") as archive:
        times = {entry.name: entry.mtime for entry in archive if entry.isreg()}
        assert times == {"new": NEWEST_S, "old": 1000}
        assert {(entry.uname, entry.gname) for entry in archive} == {("", "")}


def test_parents_come_before_what_is_in_them(tmp_path: Path) -> None:
    root = tmp_path / "root"
    _make(root, ["a/b/c/d"])
    (root / "to-directory").symlink_to("a")
    _write(root, tmp_path / "root.tar")
    with tarfile.open(tmp_path / "root.tar") as archive:
        assert archive.getnames() == ["a", "link", "to-directory", "a/b", "a/b/c", "a/b/c/d"]


def test_hard_links_stay_links_and_modes_stay(tmp_path: Path) -> None:
    root = tmp_path / "root"
    _make(root, ["first"])
    os.link(root / "first", root / "second")
    os.chmod(root / "first", 0o4755)
    _write(root, tmp_path / "root.tar")
    with tarfile.open(tmp_path / "root.tar") as archive:
        assert archive.getmember("second").linkname == "first"
        assert archive.getmember("first").mode == 0o4755


def test_entries_of_root_made_by_hand(tmp_path: Path) -> None:
    with LayerWriter(str(tmp_path / "hand.tar")) as layer:
        layer.directory("tmp", NEWEST_S, 0o1777)
        layer.file("etc", b"text", NEWEST_S)
        layer.symlink("sh", "busybox", NEWEST_S)
    with tarfile.open(tmp_path / "hand.tar") as archive:
        described = [(entry.name, entry.type, entry.mode, entry.uid, entry.mtime) for entry in archive]
    assert described == [
        ("tmp", tarfile.DIRTYPE, 0o1777, 0, NEWEST_S),
        ("etc", tarfile.REGTYPE, 0o644, 0, NEWEST_S),
        ("sh", tarfile.SYMTYPE, 0o777, 0, NEWEST_S),
    ]
