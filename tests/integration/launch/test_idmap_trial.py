"""The trial of mapped mounts before a daemon remaps users."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.support.launching import Bench

from windlass.base.errors import System
from windlass.daemon.remapping import open_mappings
from windlass.host import remap_user
from windlass.spec.id_mappings import IdMappings, stacked

pytestmark = pytest.mark.root

_RANGES = stacked([(2_000_000, 65_536)])


async def _try(bench: Bench, directory: Path, mappings: IdMappings) -> None:
    params = {"directory": str(directory), "uids": mappings.uids, "gids": mappings.gids}
    await bench.launcher.run_job("try-idmaps", msgspec.to_builtins(params))


@pytest.fixture
def ramfs(tmp_path: Path) -> Iterator[Path]:
    """A file system that can hold containers, but cannot map ids."""
    path = tmp_path / "ramfs"
    path.mkdir()
    subprocess.run(["mount", "-t", "ramfs", "ramfs", str(path)], check=True)
    yield path
    subprocess.run(["umount", str(path)], check=True)


async def test_a_good_file_system_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    await _try(bench, tmp_path, IdMappings(_RANGES, _RANGES))
    assert sorted(tmp_path.iterdir()) == before


async def test_a_file_system_that_cannot_map_is_named(bench: Bench, ramfs: Path) -> None:
    with pytest.raises(System, match="file system ramfs does not support id-mapped mounts"):
        await _try(bench, ramfs, IdMappings(_RANGES, _RANGES))
    assert list(ramfs.iterdir()) == []


async def test_ranges_that_the_kernel_refuses_are_named(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(System, match="map gids 0:5:10, 10:10:5: Invalid argument"):
        await _try(bench, tmp_path, IdMappings(_RANGES, stacked([(5, 10), (10, 5)])))


async def test_the_daemon_says_what_it_takes(bench: Bench, ramfs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windlass.daemon.remapping.load_mappings", lambda _setting: IdMappings(_RANGES, _RANGES))
    with pytest.raises(System) as refused:
        await open_mappings("default", bench.launcher, str(ramfs))
    assert refused.value.message.startswith("--userns-remap=default cannot work here: map the ids of ")
    assert "Linux 5.19 or newer" in refused.value.message and "ext4, xfs, btrfs" in refused.value.message


async def test_without_the_option_nothing_is_tried(bench: Bench, ramfs: Path) -> None:
    assert remap_user.load_mappings("") is None
    assert await open_mappings("", bench.launcher, str(ramfs)) is None
