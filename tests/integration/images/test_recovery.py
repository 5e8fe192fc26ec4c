"""What a crash, a power cut or a full disk leaves, and what becomes of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.image_files import docker_archive, small_image, tar_of
from tests.support.image_lab import ImageLab, chunks, image_lab

from windlass.base.errors import System
from windlass.images.image import NoSuchImage
from windlass.linux import mount
from windlass.runtime.zygote import ZygoteLauncher
from windlass.spec.digest import digest_bytes
from windlass.spec.reference import parse_reference
from windlass.store.database import open_database

pytestmark = pytest.mark.root

IMAGE = small_image({"a": b"1"}, {"b": b"2"})


async def _loaded(root: Path, launcher: ZygoteLauncher) -> None:
    async with image_lab(root, launcher) as lab:
        await lab.service.load(chunks(docker_archive((IMAGE, ["a:1"]))), lab.said.append)


async def test_everything_is_there_after_a_restart(tmp_path: Path, launcher: ZygoteLauncher) -> None:
    await _loaded(tmp_path / "data", launcher)
    async with image_lab(tmp_path / "data", launcher) as lab:
        assert await lab.names() == {IMAGE.id: ["a:1"]}
        top, bottom = lab.service.layers_of(IMAGE.id)
        assert (lab.tree(top), lab.tree(bottom)) == ({"b": b"2"}, {"a": b"1"})


async def test_what_was_unfinished_is_removed(tmp_path: Path, launcher: ZygoteLauncher) -> None:
    root = tmp_path / "data"
    await _loaded(root, launcher)
    stray = b"a blob that no image has"
    (root / "blobs/sha256" / digest_bytes(stray)[7:]).write_bytes(stray)
    for name in ("layers/incoming-abcdefgh/d/x", "layers/trash-abcdefgh/d", "layers/abcdefgh/d", "staging/load-1"):
        (root / name).mkdir(parents=True)
    (root / "ingest/anonymous-1").write_bytes(b"x")
    (root / "ingest/resumable").write_bytes(b"x")
    async with image_lab(root, launcher) as lab:
        assert lab.layers() == set(lab.service.layers_of(IMAGE.id))
        assert digest_bytes(stray) not in lab.blobs()
        assert lab.leftovers() == ["ingest/resumable"]


_IMPORTING = """
import asyncio, sys
from pathlib import Path
from tests.support.image_files import tar_of
from tests.support.image_lab import image_lab
from windlass.runtime.zygote import ZygoteLauncher
from windlass.spec.reference import parse_reference

async def endless():
    # More than the pipe holds: once it is gone a worker is at it.
    yield tar_of({"a": b"1" * (8 << 20)})[: 4 << 20]
    print("reading", flush=True)
    await asyncio.Event().wait()

async def main():
    launcher = ZygoteLauncher(sys.argv[1] + "/run")
    async with image_lab(Path(sys.argv[1]) / "data", launcher) as lab:
        await lab.service.import_tar(endless(), parse_reference("a"))

asyncio.run(main())
"""


def _import_and_die(directory: Path) -> None:
    """Run a daemon's import and kill it in the middle; return when nothing of it is left."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _IMPORTING, str(directory)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as daemon:
        assert daemon.stdout is not None
        assert daemon.stderr is not None
        assert daemon.stdout.readline() == "reading\n"
        daemon.kill()
        # Its zygote and worker have the other end of this pipe: they end by themselves.
        daemon.stderr.read()


async def test_a_killed_import_leaves_nothing(tmp_path: Path, launcher: ZygoteLauncher) -> None:
    _import_and_die(tmp_path)
    assert os.listdir(tmp_path / "data/layers")
    async with image_lab(tmp_path / "data", launcher) as lab:
        assert await lab.names() == {}
        assert not lab.layers()
        assert not lab.leftovers()


async def test_one_damaged_image_does_not_hide_the_others(tmp_path: Path, launcher: ZygoteLauncher) -> None:
    root = tmp_path / "data"
    other = small_image({"c": b"3"})
    async with image_lab(root, launcher) as lab:
        archive = docker_archive((IMAGE, ["a:1"]), (other, ["b:1"]))
        await lab.service.load(chunks(archive), lab.said.append)
    config = root / "blobs/sha256" / IMAGE.id[7:]
    config.unlink()
    async with image_lab(root, launcher) as lab:
        assert await lab.names() == {other.id: ["b:1"]}
        # Containers may still stand on its layers.
        assert len(lab.layers()) == 3
        await lab.service.load(chunks(docker_archive((IMAGE, ["a:1"]))), lab.said.append)
        assert await lab.names() == {other.id: ["b:1"], IMAGE.id: ["a:1"]}
        assert len(lab.layers()) == 3


async def test_what_a_power_cut_caught_is_dropped(tmp_path: Path, launcher: ZygoteLauncher) -> None:
    root = tmp_path / "data"
    await _loaded(root, launcher)
    database = open_database(str(root / "db/meta.sqlite"))
    assert await database.read(lambda c: c.execute("SELECT DISTINCT boot FROM layers").fetchall()) == [("",)]
    await database.write(lambda c: c.execute("UPDATE layers SET boot = 'another'"))
    await database.close()
    async with image_lab(root, launcher) as lab:
        with pytest.raises(NoSuchImage):
            await lab.service.resolve("a:1")
        assert not lab.layers()
        assert not lab.blobs()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A data root of 4 MiB."""
    root = tmp_path / "small"
    root.mkdir()
    mount.mount("tmpfs", str(root), "tmpfs", 0, "size=4m")
    yield root
    mount.umount2(str(root), mount.MNT_DETACH)


async def _assert_nothing_is_left(lab: ImageLab) -> None:
    await lab.settled()
    assert await lab.names() == {}
    assert not lab.layers()
    assert not lab.blobs()
    assert not lab.leftovers()


async def test_a_full_disk_is_told_and_leaves_room_again(small_disk: Path, launcher: ZygoteLauncher) -> None:
    big, small = tar_of({"big": os.urandom(8 << 20)}), tar_of({"small": b"1"})
    async with image_lab(small_disk, launcher) as lab:
        with pytest.raises(System, match="no space left on device"):
            await lab.service.import_tar(chunks(big), parse_reference("a"))
        await _assert_nothing_is_left(lab)
        with pytest.raises(System, match="no space left on device"):
            archive = docker_archive((small_image({"big": os.urandom(3 << 20)}), ["a:1"]))
            await lab.service.load(chunks(archive), lab.said.append)
        await _assert_nothing_is_left(lab)
        await lab.service.import_tar(chunks(small), parse_reference("a"))
        assert list(await lab.names())
