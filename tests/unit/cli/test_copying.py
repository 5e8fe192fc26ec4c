"""Where `cp` puts things, and what it puts there."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from windlass.cli.copying.pack import tar_stream
from windlass.cli.copying.paths import Place, base_name, plan, split_argument
from windlass.cli.copying.unpack import unpack
from windlass.cli.errors import CliError

FILE = Place("src", exists=True, is_dir=False)
DIRECTORY = Place("src", exists=True, is_dir=True)


@pytest.mark.parametrize(
    ("word", "parts"),
    [("c:/a", ("c", "/a")), ("/a:b", ("", "/a:b")), ("./c:x", ("", "./c:x")), ("file", ("", "file")), ("-", ("", "-"))],
)
def test_arguments(word: str, parts: tuple[str, str]) -> None:
    assert split_argument(word) == parts


def test_base_names() -> None:
    assert [base_name(path) for path in ("/a/b", "/a/b/", "/a/.", "/", "a")] == ["b", "b", ".", "/", "a"]


@pytest.mark.parametrize(
    ("source", "target", "directory", "new"),
    [
        (FILE, Place("d", exists=True, is_dir=True), "d", "src"),
        (FILE, Place("x/f", exists=True, is_dir=False), "x", "f"),
        (FILE, Place("x/new", exists=False, is_dir=False), "x", "new"),
        (DIRECTORY, Place("d/new", exists=False, is_dir=False), "d", "new"),
        (DIRECTORY, Place("new/", exists=False, is_dir=False), ".", "new"),
    ],
)
def test_destinations(source: Place, target: Place, directory: str, new: str) -> None:
    chosen = plan(source, "src", target)
    assert (chosen.directory, chosen.new) == (directory, new)


def test_what_does_not_fit() -> None:
    with pytest.raises(CliError, match="cannot copy directory"):
        plan(DIRECTORY, "src", Place("f", exists=True, is_dir=False))
    with pytest.raises(CliError, match="no such directory"):
        plan(FILE, "src", Place("new/", exists=False, is_dir=False))


def test_a_tree_survives_the_way_there_and_back(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "file").write_bytes(b"x" * 3000)
    (source / "file").chmod(0o751)
    os.utime(source / "file", (1000, 1000))
    (source / "link").symlink_to("file")
    (source / "sub" / ("long" * 40)).write_text("deep")
    os.mkfifo(source / "fifo")
    target = tmp_path / "target"
    target.mkdir()
    stream = tar_stream(str(source), "renamed")
    unpack(stream, str(target), lambda name: name, owners=False)
    copy = target / "renamed"
    assert (copy / "file").read_bytes() == b"x" * 3000
    assert (copy / "file").stat().st_mode & 0o7777 == 0o751 and (copy / "file").stat().st_mtime == 1000
    assert os.readlink(copy / "link") == "file"
    assert (copy / "sub" / ("long" * 40)).read_text() == "deep"
    assert (copy / "fifo").is_fifo()


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> Iterator[bytes]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    data = buffer.getvalue()
    return iter([data[start : start + 700] for start in range(0, len(data), 700)])


def test_hard_links_and_existing_files(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("old")
    link = tarfile.TarInfo("b")
    link.type, link.linkname = tarfile.LNKTYPE, "a"
    unpack(archive((tarfile.TarInfo("a"), b"new"), (link, b"")), str(tmp_path), lambda name: name, owners=False)
    assert (tmp_path / "b").read_text() == "new"
    assert (tmp_path / "a").stat().st_nlink == 2


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="invalid output path"):
        unpack(archive(), str(tmp_path / "absent"), str, owners=False)
