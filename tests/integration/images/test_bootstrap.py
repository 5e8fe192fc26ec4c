"""windlass/busybox made for real: by the host's apt, from a mirror."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from windlass.base.clock import rfc3339_nano
from windlass.images.bootstrap.packages import downloaded
from windlass.images.bootstrap.recipe import RecipeError, find_program

pytestmark = pytest.mark.registry_mirror

SOURCE = Path(__file__).parents[3] / "src"


def _bootstrap(name: str, target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "windlass.images.bootstrap", name, "--output", target],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )


@pytest.fixture(scope="module")
def mirror() -> None:
    try:
        with downloaded("busybox-static"):
            pass
    except RecipeError as error:
        pytest.skip(f"no busybox-static by apt-get: {error}")


@pytest.mark.usefixtures("mirror")
def test_busybox_is_the_same_twice_and_runs(tmp_path: Path) -> None:
    first, second = (
        _bootstrap("windlass/busybox", tmp_path / "1.tar"),
        _bootstrap("windlass/busybox", tmp_path / "2.tar"),
    )
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert first.stdout == second.stdout
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()
    document = json.loads(first.stdout)
    assert document["Names"] == ["windlass/busybox:latest"]
    assert document["Config"]["Labels"]["org.windlass.packages"].startswith("busybox-static=")
    with tarfile.open(tmp_path / "1.tar") as archive:
        assert archive.getmember("bin/sh").linkname == "busybox"
        assert archive.getmember("tmp").mode == 0o1777
        program = archive.extractfile("bin/busybox")
        assert program is not None
        (tmp_path / "busybox").write_bytes(program.read())
    (tmp_path / "busybox").chmod(0o755)
    assert subprocess.run([tmp_path / "busybox", "echo", "works"], capture_output=True, check=True).stdout == b"works\n"


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.usefixtures("mirror")
@pytest.mark.skipif(
    not any(map(find_program, ("debootstrap", "mmdebstrap"))), reason="neither debootstrap nor mmdebstrap on this host"
)
def test_debian_is_complete_and_clean(tmp_path: Path) -> None:
    done = _bootstrap("windlass/debian", tmp_path / "layer.tar")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["Names"] == ["windlass/debian:bookworm", "windlass/debian:latest"]
    assert " apt=" in document["Config"]["Labels"]["org.windlass.packages"]
    with tarfile.open(tmp_path / "layer.tar") as archive:
        entries = {entry.name: entry for entry in archive}
    assert {"usr/bin/apt-get", "usr/bin/dpkg", "bin", "etc/apt/sources.list.d/debian.sources"} <= entries.keys()
    empty = ("dev/", "proc/", "run/", "sys/", "tmp/", "var/lib/apt/lists/partial/", "var/cache/apt/archives/partial/")
    assert [name for name in entries if name.startswith(empty)] == []
    newest_s = max(entry.mtime for entry in entries.values())
    assert document["Created"] == rfc3339_nano(int(newest_s) * 1_000_000_000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layer.tar"]


def test_nothing_is_left_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    done = _bootstrap("windlass/busybox", tmp_path / "missing" / "layer.tar")
    assert done.returncode == 1
    assert "cannot build windlass/busybox" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"]
