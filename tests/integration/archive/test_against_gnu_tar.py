"""The same archive by GNU tar and by us: the same tree. The same tree by GNU tar in every format: the same entries."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.archives import opened

from windlass.archive.apply import apply_layer
from windlass.archive.pack import pack_tree
from windlass.archive.reader import TarReader
from windlass.archive.sink import FdSink
from windlass.archive.writer import TarWriter

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(shutil.which("tar") is None, reason="GNU tar is not installed (package tar)"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with one of everything."""
    root = tmp_path / "tree"
    (root / "d/empty").mkdir(parents=True)
    (root / "d/f").write_bytes(b"x" * 10_000)
    (root / "d/f").chmod(0o4750)
    os.chown(root / "d/f", 1000, 70_000)
    os.link(root / "d/f", root / "hard")
    (root / "link").symlink_to("d/f")
    (root / "dangling").symlink_to("/nowhere/" + "n" * 150)
    (root / "zero").touch()
    os.mkfifo(root / "pipe")
    os.mknod(root / "null", 0o20666, os.makedev(1, 3))
    with open(root / "sparse", "wb") as file:
        for offset in range(0, 4_000_000, 400_000):
            file.seek(offset)
            file.write(b"data" * 1024)
        file.truncate(5_000_000)
    deep = root / ("n" * 90) / ("m" * 90)
    deep.mkdir(parents=True)
    (deep / "ünïcode").write_text("x")
    os.utime(root / "d/f", ns=(0, 1_600_000_000_000_000_000))
    os.utime(root / "d", ns=(0, 1_500_000_000_000_000_000))
    return root


def described(root: Path) -> dict[bytes, tuple[object, ...]]:
    """Everything about a tree that an archive carries; which names are one file by the first of them."""
    found: dict[bytes, tuple[object, ...]] = {}
    first: dict[int, bytes] = {}
    top = os.fsencode(root)
    for directory, names, files in os.walk(top):
        names.sort()
        for name in sorted(names + files):
            path = os.path.join(directory, name)
            status = os.lstat(path)
            relative = os.path.relpath(path, top)
            found[relative] = (
                status.st_mode,
                status.st_uid,
                status.st_gid,
                status.st_rdev,
                status.st_mtime_ns // 10**9,
                os.readlink(path) if os.path.islink(path) else b"",
                Path(os.fsdecode(path)).read_bytes() if os.path.isfile(path) and not os.path.islink(path) else b"",
                first.setdefault(status.st_ino, relative),
            )
    return found


def run_tar(*arguments: str | Path) -> None:
    subprocess.run(["tar", *map(str, arguments)], check=True, capture_output=True, env={**os.environ, "LC_ALL": "C"})


FORMATS = [
    ["--format=gnu"],
    ["--format=oldgnu"],
    ["--format=pax"],
    ["--format=posix", "--pax-option=delete=mtime"],
    ["--format=gnu", "--sparse"],
    ["--format=oldgnu", "--sparse"],
    *(["--format=pax", "--sparse", f"--sparse-version={version}"] for version in ("0.0", "0.1", "1.0")),
]


@pytest.mark.parametrize("options", FORMATS, ids=" ".join)
def test_archive_of_gnu_tar_applies_to_the_same_tree(tree: Path, tmp_path: Path, options: list[str]) -> None:
    archive, ours = tmp_path / "a.tar", tmp_path / "ours"
    run_tar("-C", tree, *options, "--numeric-owner", "-cf", archive, ".")
    ours.mkdir()
    with open(archive, "rb", buffering=0) as stream, opened(ours) as fd:
        apply_layer(stream, fd)
    assert described(ours) == described(tree)
    if "--sparse" in options:
        assert (ours / "sparse").stat().st_blocks * 512 < 1_000_000


@pytest.mark.parametrize("format_", ["v7", "ustar"])
def test_poorer_formats(tmp_path: Path, format_: str) -> None:
    tree, ours, archive = tmp_path / "tree", tmp_path / "ours", tmp_path / "a.tar"
    (tree / "d").mkdir(parents=True)
    (tree / "d/f").write_text("x")
    (tree / "l").symlink_to("d/f")
    run_tar("-C", tree, f"--format={format_}", "-cf", archive, ".")
    ours.mkdir()
    with open(archive, "rb", buffering=0) as stream, opened(ours) as fd:
        apply_layer(stream, fd)
    assert described(ours) == described(tree)


def test_gnu_tar_unpacks_what_we_pack_to_the_same_tree(tree: Path, tmp_path: Path) -> None:
    archive, theirs = tmp_path / "a.tar", tmp_path / "theirs"
    with open(archive, "wb", buffering=0) as stream, opened(tree) as fd:
        writer = TarWriter(FdSink(stream.fileno()))
        pack_tree(fd, writer)
        writer.finish()
    theirs.mkdir()
    run_tar("-C", theirs, "-xpf", archive)
    assert described(theirs) == described(tree)
    listed = subprocess.run(["tar", "-tf", archive, "--quoting-style=literal"], capture_output=True, check=True).stdout
    with open(archive, "rb") as stream:
        assert [entry.name for entry in TarReader(stream)] == listed.rstrip(b"\n").split(b"\n")
