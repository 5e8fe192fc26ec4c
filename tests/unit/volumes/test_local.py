"""Directories of local volumes."""

from __future__ import annotations

from pathlib import Path

import pytest

from windlass.base.errors import InvalidParameter
from windlass.volumes.local import InvalidVolumeName, LocalVolumes


def test_create_is_idempotent_and_remove_is_thorough(tmp_path: Path) -> None:
    volumes = LocalVolumes(str(tmp_path / "volumes"))
    path = volumes.create("data", {})
    (Path(path) / "file").write_text("x")
    assert volumes.create("data", {}) == path
    assert not volumes.is_empty("data")
    (Path(path) / "link").symlink_to(tmp_path)
    volumes.remove("data")
    volumes.remove("data")
    assert list((tmp_path / "volumes").iterdir()) == []
    assert tmp_path.exists()


@pytest.mark.parametrize("name", ["..", "a/b", "/abs", ".hidden", "-x", "a", "", "x\0y", "ä" * 3, "x" * 256, "a\n"])
def test_names_that_could_be_paths(tmp_path: Path, name: str) -> None:
    volumes = LocalVolumes(str(tmp_path / "volumes"))
    for operation in (volumes.path, volumes.remove, volumes.is_empty):
        with pytest.raises(InvalidVolumeName):
            operation(name)
    with pytest.raises(InvalidVolumeName):
        volumes.create(name, {})
    assert not (tmp_path / "volumes").exists()


def test_options_are_known_or_refused(tmp_path: Path) -> None:
    volumes = LocalVolumes(str(tmp_path))
    with pytest.raises(InvalidParameter, match='create vv: invalid option: "colour"'):
        volumes.create("vv", {"colour": "red"})
    with pytest.raises(InvalidParameter, match="not supported"):
        volumes.create("vv", {"type": "nfs"})


def test_an_interrupted_removal_is_finished(tmp_path: Path) -> None:
    volumes = LocalVolumes(str(tmp_path))
    path = Path(volumes.create("data", {}))
    (path / "deep" / "er").mkdir(parents=True)
    path.parent.rename(tmp_path / ".trash-x")
    volumes.sweep()
    assert list(tmp_path.iterdir()) == []
