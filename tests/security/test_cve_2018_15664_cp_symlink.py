"""CVE-2018-15664 and its kin: what `cp` gets from a container must not land outside the directory it is copied to.

The archive is the container's. Links in it, links that are already there, names that climb, hard links to names
outside: none of these may make us write, or link, anywhere else.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from windlass.cli.copying.paths import Plan
from windlass.cli.copying.unpack import unpack
from windlass.cli.errors import CliError


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    directory = tmp_path / "outside"
    directory.mkdir()
    (directory / "secret").write_text("untouched")
    return directory


@pytest.fixture
def target(tmp_path: Path) -> Path:
    directory = tmp_path / "target"
    directory.mkdir()
    return directory


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def archive(*members: tarfile.TarInfo) -> Iterator[bytes]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for info in members:
            content = b"hostile" if info.isreg() else b""
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    yield buffer.getvalue()


def unchanged(outside: Path) -> bool:
    return sorted(path.name for path in outside.iterdir()) == ["secret"] and (
        (outside / "secret").read_text() == "untouched"
    )


def refuses(target: Path, *members: tarfile.TarInfo) -> None:
    with pytest.raises(CliError):
        unpack(archive(*members), str(target), lambda name: name, owners=False)


def test_a_link_in_the_archive_is_not_followed(target: Path, outside: Path) -> None:
    refuses(target, member("d", tarfile.SYMTYPE, str(outside)), member("d/secret"))
    assert unchanged(outside)


def test_a_link_that_is_already_there_is_not_followed(target: Path, outside: Path) -> None:
    (target / "d").symlink_to(outside)
    refuses(target, member("d/secret"))
    assert unchanged(outside)


def test_a_file_replaces_a_link_instead_of_writing_through_it(target: Path, outside: Path) -> None:
    (target / "f").symlink_to(outside / "secret")
    unpack(archive(member("f")), str(target), lambda name: name, owners=False)
    assert unchanged(outside)
    assert not (target / "f").is_symlink() and (target / "f").read_text() == "hostile"


@pytest.mark.parametrize("name", ["../outside/secret", "a/../../outside/secret", "./../outside/secret"])
def test_names_that_climb_are_refused(target: Path, outside: Path, name: str) -> None:
    refuses(target, member(name))
    assert unchanged(outside)


def test_absolute_names_stay_below(target: Path, outside: Path) -> None:
    unpack(archive(member(f"{outside}/secret")), str(target), lambda name: name, owners=False)
    assert unchanged(outside)


def test_hard_links_do_not_reach_outside(target: Path, outside: Path) -> None:
    refuses(target, member("h", tarfile.LNKTYPE, "../outside/secret"))
    (target / "d").symlink_to(outside)
    refuses(target, member("h", tarfile.LNKTYPE, "d/secret"))
    assert (outside / "secret").stat().st_nlink == 1


def test_entries_beside_the_copied_path_are_refused() -> None:
    chosen = Plan("dir", "wanted", "new")
    assert chosen.renamed("wanted/x") == "new/x"
    with pytest.raises(CliError, match="unexpected archive entry"):
        chosen.renamed("other/x")
