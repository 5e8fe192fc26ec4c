"""A neighbour that shares a volume swaps directories for links while mounts are made in it.

CVE-2019-19921, CVE-2021-30465, CVE-2023-27561, CVE-2024-45310: the mount must not land on the host, nor may the missing
directories and files that it is made on.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.entries import FIRST, Refused, make_entry, mounts_below
from tests.support.launching import Bench

from windlass.spec.container import HostConfig, MountRequest

pytestmark = pytest.mark.root

_RACE_S = 0.7
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_libc = ctypes.CDLL(None, use_errno=True)


class Scene:
    """A volume with a directory and a link out of it that change places, and what the link leads to."""

    def __init__(self, directory: Path) -> None:
        self.volume = directory / "volume"
        self.outside = directory / "outside"
        self.source = directory / "source"
        for path in (self.volume / "a", self.outside, self.source):
            path.mkdir(parents=True)
        (self.source / "file").write_text("from the source")
        # From inside and from outside of a root it is the same place.
        (self.volume / "b").symlink_to("../../../../../../../../../.." + str(self.outside))

    @contextmanager
    def swapping(self) -> Iterator[None]:
        """Exchange the two as fast as the kernel does it."""
        end = threading.Event()
        names = (os.fsencode(self.volume / "a"), os.fsencode(self.volume / "b"))

        def swap() -> None:
            while not end.is_set():
                for _ in range(64):
                    _libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)

        thread = threading.Thread(target=swap)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()

    def escaped(self) -> list[str]:
        """What was made on the host."""
        return os.listdir(self.outside)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_the_race_is_won_against_paths(scene: Scene) -> None:
    """The attack itself: who makes a target by its path makes it on the host, soon."""
    deadline = time.monotonic() + 20
    with scene.swapping():
        while not scene.escaped() and time.monotonic() < deadline:
            os.makedirs(scene.volume / "a" / "deep", exist_ok=True)
            for name in ("a", "b"):
                shutil.rmtree(scene.volume / name / "deep", ignore_errors=True) if not scene.escaped() else None
    assert scene.escaped() == ["deep"]


@pytest.mark.parametrize("kind", FIRST)
async def test_mounts_within_a_shared_volume(bench: Bench, tmp_path: Path, scene: Scene, kind: str) -> None:
    entry = make_entry(kind, bench, tmp_path)
    before = mounts_below(tmp_path)
    starts = 0
    deadline = time.monotonic() + _RACE_S
    with scene.swapping():
        while starts < 2 or time.monotonic() < deadline:
            starts += 1
            try:
                output = await entry.output(["cat", "/vol/a/deep/file"], host=_host(scene), oci=_bundle(scene))
                assert output == "from the source" or "No such file" in output
            except Refused:
                continue
    assert scene.escaped() == []
    assert mounts_below(tmp_path) == before


@pytest.mark.parametrize("kind", FIRST)
async def test_masks_and_read_only_paths_in_a_shared_volume(
    bench: Bench, tmp_path: Path, scene: Scene, kind: str
) -> None:
    """CVE-2025-31133's other half: paths to protect that lie in what a neighbour changes."""
    entry = make_entry(kind, bench, tmp_path)
    (scene.outside / "precious").write_text("host")
    for name in ("a", "b"):
        (scene.volume / name / "precious").write_text("host")
    paths = ["/vol/a/precious", "/vol/a"]
    changes = {**_bundle(scene), "linux__maskedPaths": paths[:1], "linux__readonlyPaths": paths[1:]}
    changes["mounts"] = changes["mounts"][:1]
    host = HostConfig(binds=[f"{scene.volume}:/vol"], masked_paths=paths[:1], readonly_paths=paths[1:])
    deadline = time.monotonic() + _RACE_S / 2
    with scene.swapping():
        while time.monotonic() < deadline:
            try:
                await entry.output(["true"], host=host, oci=changes)
            except Refused:
                continue
    assert (scene.outside / "precious").read_text() == "host"
    (scene.outside / "precious").write_text("still writable")


def _host(scene: Scene) -> HostConfig:
    mounts = [
        MountRequest(type="bind", source=str(scene.volume), target="/vol"),
        MountRequest(type="bind", source=str(scene.source), target="/vol/a/deep"),
        MountRequest(type="bind", source=str(scene.source / "file"), target="/vol/a/made/file"),
        MountRequest(type="tmpfs", target="/vol/a/tmp"),
    ]
    return HostConfig(mounts=mounts)


def _bundle(scene: Scene) -> dict[str, Any]:
    mounts = [
        {"destination": "/vol", "source": str(scene.volume), "options": ["rbind"]},
        {"destination": "/vol/a/deep", "source": str(scene.source), "options": ["rbind"]},
        {"destination": "/vol/a/made/file", "source": str(scene.source / "file"), "options": ["bind"]},
        {"destination": "/vol/a/tmp", "type": "tmpfs", "source": "tmpfs"},
    ]
    return {"mounts": mounts}
