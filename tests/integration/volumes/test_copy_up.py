"""New volumes get what the image has at their place, and nothing of the host's."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from windlass.runtime.zygote import ZygoteLauncher

pytestmark = pytest.mark.root


@pytest_asyncio.fixture
async def launcher(tmp_path: Path) -> AsyncIterator[ZygoteLauncher]:
    """A zygote of the test's own."""
    zygote = ZygoteLauncher(str(tmp_path / "run"))
    await zygote.start()
    try:
        yield zygote
    finally:
        await zygote.close()


def _layers(directory: Path, count: int) -> list[Path]:
    layers = [directory / "layers" / f"layer{number}" / "d" for number in range(count)]
    for layer in layers:
        layer.mkdir(parents=True)
    return layers


async def _copy(launcher: ZygoteLauncher, directory: Path, count: int, path: str) -> Path:
    target = directory / "volume"
    target.mkdir(exist_ok=True)
    lower = [f"layer{number}/d" for number in range(count)]
    params = {"base": str(directory / "layers"), "lower": lower, "path": path, "target": str(target)}
    await launcher.run_job("copy-up", params)
    return target


async def test_layers_are_merged_with_attributes(launcher: ZygoteLauncher, tmp_path: Path) -> None:
    top, bottom = _layers(tmp_path, 2)
    (bottom / "data" / "sub").mkdir(parents=True)
    (bottom / "data" / "old").write_text("old")
    (bottom / "data" / "gone").write_text("gone")
    (top / "data").mkdir()
    (top / "data" / "new").write_text("new")
    os.mknod(top / "data" / "gone", stat.S_IFCHR, 0)
    os.chown(top / "data" / "new", 12, 34)
    os.chmod(top / "data" / "new", 0o4750)
    os.symlink("/etc/passwd", top / "data" / "link")
    os.mkfifo(top / "data" / "fifo", 0o640)
    os.setxattr(top / "data" / "new", "user.k", b"v")
    os.chmod(top / "data", 0o1770)
    os.utime(top / "data" / "new", ns=(1, 2))
    volume = await _copy(launcher, tmp_path, 2, "/data")
    assert sorted(os.listdir(volume)) == ["fifo", "link", "new", "old", "sub"]
    status = (volume / "new").stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (12, 34, 0o4750, 2)
    assert os.getxattr(volume / "new", "user.k") == b"v"
    assert os.readlink(volume / "link") == "/etc/passwd"
    assert stat.S_IMODE(volume.stat().st_mode) == 0o1770


@pytest.mark.parametrize("count", [1, 2])
async def test_links_of_the_image_do_not_lead_to_the_host(launcher: ZygoteLauncher, tmp_path: Path, count: int) -> None:
    layers = _layers(tmp_path, count)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "file").write_text("the host's")
    os.symlink(str(secret), layers[0] / "data")
    os.symlink("../../../../../../../../.." + str(secret), layers[0] / "up")
    for path in ("/data", "/up", "/../../../.." + str(secret)):
        volume = await _copy(launcher, tmp_path, count, path)
        assert os.listdir(volume) == []


async def test_a_missing_path_or_a_file_copies_nothing(launcher: ZygoteLauncher, tmp_path: Path) -> None:
    (layer,) = _layers(tmp_path, 1)
    (layer / "file").write_text("x")
    for path in ("/nowhere", "/file", "/file/x"):
        assert os.listdir(await _copy(launcher, tmp_path, 1, path)) == []


async def test_nothing_stays_mounted(launcher: ZygoteLauncher, tmp_path: Path) -> None:
    for layer in _layers(tmp_path, 2):
        (layer / "data").mkdir()
    before = Path("/proc/self/mountinfo").read_text()
    await _copy(launcher, tmp_path, 2, "/data")
    assert Path("/proc/self/mountinfo").read_text() == before
