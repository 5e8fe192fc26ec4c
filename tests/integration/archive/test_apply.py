"""Layers applied to real directories."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from tests.support.archives import (
    END,
    apply,
    directory,
    file,
    hardlink,
    node,
    padded,
    pax_header,
    raw_header,
    symlink,
    tar,
)

from windlass.archive.apply import ApplyLimits, ApplyResult, WhiteoutMode
from windlass.archive.entry import Kind
from windlass.archive.errors import EntryRefused, TooLarge

pytestmark = pytest.mark.root

SECOND = 10**9


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    path.mkdir()
    return path


def is_whiteout(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def is_opaque(path: Path) -> bool:
    try:
        return os.getxattr(path, "trusted.overlay.opaque") == b"y"
    except OSError:
        return False


def test_everything_a_layer_may_hold(root: Path) -> None:
    result = apply(
        tar(
            directory(b"./", 0o700),
            directory(b"./d/", 0o1755, uid=7, gid=8, mtime_ns=3 * SECOND + 5),
            file(b"./d/f", b"data", mode=0o4755, uid=1000, gid=1000, mtime_ns=2 * SECOND),
            symlink(b"./d/l", b"/etc/passwd"),
            hardlink(b"./d/h", b"d/f"),
            node(b"./null", Kind.CHAR, 1, 3),
            node(b"./pipe", Kind.FIFO),
        ),
        root,
    )
    assert result == ApplyResult(size_bytes=4, entries=7)
    d = (root / "d").stat()
    assert (stat.S_IMODE(d.st_mode), d.st_uid, d.st_gid, d.st_mtime_ns) == (0o1755, 7, 8, 3 * SECOND + 5)
    f = (root / "d/f").stat()
    assert (stat.S_IMODE(f.st_mode), f.st_uid, f.st_mtime_ns, f.st_nlink) == (0o4755, 1000, 2 * SECOND, 2)
    assert os.readlink(root / "d/l") == "/etc/passwd"
    null = (root / "null").stat()
    assert stat.S_ISCHR(null.st_mode) and null.st_rdev == os.makedev(1, 3)
    assert stat.S_ISFIFO((root / "pipe").stat().st_mode)
    # The entry of the root itself is ignored, as dockerd does.
    assert stat.S_IMODE(root.stat().st_mode) != 0o700


def test_missing_parents_are_made_whatever_the_mask(root: Path) -> None:
    before = os.umask(0o077)
    try:
        apply(tar(file(b"a/b/c", b"x")), root)
    finally:
        os.umask(before)
    assert stat.S_IMODE((root / "a/b").stat().st_mode) == 0o755


def test_large_files_arrive_whole(root: Path) -> None:
    data = os.urandom(3_000_001)
    apply(tar(file(b"a", data), file(b"b", data[:511])), root)
    assert (root / "a").read_bytes() == data
    assert (root / "b").read_bytes() == data[:511]


def test_xattrs_kept_and_left_out(root: Path) -> None:
    capability = b"\x01\0\0\x02\0\x04\0\0" + bytes(12)
    kept = {b"user.a": b"\0v", b"security.capability": capability}
    result = apply(tar(file(b"f", uid=5, xattrs=kept | {b"security.selinux": b"x", b"trusted.other": b"x"})), root)
    assert result.skipped_xattrs == 2
    assert os.getxattr(root / "f", "user.a") == b"\0v"
    assert os.getxattr(root / "f", "security.capability") == capability
    assert "trusted.other" not in os.listxattr(root / "f")


def test_sparse_file_has_holes(root: Path) -> None:
    records = [(b"GNU.sparse.size", b"10000000"), (b"GNU.sparse.map", b"0,5,9999995,5")]
    archive = pax_header(records) + raw_header(b"s", size=10) + padded(b"helloworld") + END
    assert apply(archive, root).size_bytes == 10_000_000
    data = (root / "s").read_bytes()
    assert (len(data), data[:5], data[-5:]) == (10_000_000, b"hello", b"world")
    assert (root / "s").stat().st_blocks * 512 < 100_000


@pytest.mark.parametrize("second", [file(b"x", b"2"), symlink(b"x", b"y"), directory(b"x/"), node(b"x", Kind.FIFO)])
@pytest.mark.parametrize(
    "first", [file(b"x", b"1"), symlink(b"x", b"/etc/hostname"), directory(b"x/"), node(b"x", Kind.FIFO)]
)
def test_later_entry_replaces_earlier_one(root: Path, first: tuple, second: tuple) -> None:  # type: ignore[type-arg]
    apply(tar(first, second), root)
    expected = {
        Kind.FILE: stat.S_IFREG,
        Kind.SYMLINK: stat.S_IFLNK,
        Kind.DIRECTORY: stat.S_IFDIR,
        Kind.FIFO: stat.S_IFIFO,
    }
    assert stat.S_IFMT((root / "x").lstat().st_mode) == expected[second[0].kind]


def test_directory_twice_keeps_its_content_and_takes_the_later_attributes(root: Path) -> None:
    apply(tar(directory(b"d/", 0o700), file(b"d/f"), directory(b"d/", 0o711, mtime_ns=SECOND)), root)
    assert (root / "d/f").exists()
    assert stat.S_IMODE((root / "d").stat().st_mode) == 0o711
    assert (root / "d").stat().st_mtime_ns == SECOND


def test_replacing_a_full_directory_removes_what_it_had(root: Path) -> None:
    apply(tar(directory(b"d/"), file(b"d/e/f"), symlink(b"d", b"other"), file(b"other/g"), file(b"d/h")), root)
    assert sorted(path.name for path in (root / "other").iterdir()) == ["g", "h"]


def test_replaced_hard_link_leaves_the_other_name(root: Path) -> None:
    apply(tar(file(b"a", b"old"), hardlink(b"b", b"a"), file(b"b", b"new")), root)
    assert ((root / "a").read_bytes(), (root / "b").read_bytes()) == (b"old", b"new")


def test_more_directories_than_descriptors(root: Path) -> None:
    names = [b"d%d/e%d" % (number, number) for number in range(400)]
    apply(tar(*(file(name + b"/f") for name in names), *(file(name + b"/g") for name in names)), root)
    assert sum(1 for _ in root.glob("d*/e*/[fg]")) == 800


# --- whiteouts as overlay's marks ---------------------------------------------------------------


def test_whiteout_becomes_a_device_and_opaque_an_xattr(root: Path) -> None:
    apply(tar(file(b"d/.wh.gone"), directory(b"e/"), file(b"e/.wh..wh..opq"), file(b"e/new")), root)
    assert is_whiteout(root / "d/gone")
    assert is_opaque(root / "e") and not is_opaque(root / "d")
    assert sorted(path.name for path in (root / "e").iterdir()) == ["new"]


@pytest.mark.parametrize("whiteout_first", [True, False])
def test_directory_and_whiteout_of_it_in_one_layer(root: Path, whiteout_first: bool) -> None:
    made = [directory(b"d/"), file(b"d/new")]
    whiteout = [file(b".wh.d")]
    apply(tar(*(whiteout + made if whiteout_first else made + whiteout)), root)
    assert is_opaque(root / "d") and (root / "d/new").exists()


def test_file_below_a_whiteout_implies_an_opaque_directory(root: Path) -> None:
    apply(tar(file(b".wh.d"), file(b"d/e/new")), root)
    assert is_opaque(root / "d") and (root / "d/e/new").exists()


@pytest.mark.parametrize("whiteout_first", [True, False])
def test_file_and_whiteout_of_it_in_one_layer(root: Path, whiteout_first: bool) -> None:
    pair = [file(b".wh.f"), file(b"f", b"new")]
    apply(tar(*(pair if whiteout_first else reversed(pair))), root)
    assert (root / "f").read_bytes() == b"new"


def test_aufs_leftovers_are_skipped(root: Path) -> None:
    apply(tar(directory(b".wh..wh.plnk/"), file(b".wh..wh.plnk/1.2"), file(b".wh..wh.aufs"), file(b"f")), root)
    assert [path.name for path in root.iterdir()] == ["f"]


# --- whiteouts carried out ----------------------------------------------------------------------


@pytest.fixture
def filled(root: Path) -> Path:
    (root / "d/sub").mkdir(parents=True)
    (root / "d/old").write_text("old")
    (root / "d/sub/old").write_text("old")
    (root / "f").write_text("old")
    return root


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_whiteouts_remove(filled: Path) -> None:
    apply(
        tar(file(b".wh.f"), file(b"d/.wh.sub"), file(b"nowhere/.wh.x"), file(b".wh.never")), filled, WhiteoutMode.REMOVE
    )
    assert names(filled) == ["d", "d/old"]


@pytest.mark.parametrize("opaque_first", [True, False])
def test_opaque_removes_only_what_is_not_of_the_layer(filled: Path, opaque_first: bool) -> None:
    made = [file(b"d/sub/new")]
    opaque = [file(b"d/.wh..wh..opq")]
    apply(tar(*(opaque + made if opaque_first else made + opaque)), filled, WhiteoutMode.REMOVE)
    assert names(filled) == ["d", "d/sub", "d/sub/new", "f"]


def test_whiteout_after_the_directory_it_concerns(filled: Path) -> None:
    apply(tar(file(b"d/new"), file(b".wh.d")), filled, WhiteoutMode.REMOVE)
    assert names(filled) == ["d", "d/new", "f"]


# --- limits -------------------------------------------------------------------------------------


def test_limits(root: Path) -> None:
    with pytest.raises(TooLarge):
        apply(tar(file(b"a"), file(b"b")), root, limits=ApplyLimits(max_entries=1))
    with pytest.raises(TooLarge):
        apply(tar(file(b"c", b"xx"), file(b"d", b"xx")), root, limits=ApplyLimits(max_bytes=3))


def test_file_where_a_directory_is_needed(root: Path) -> None:
    with pytest.raises(EntryRefused):
        apply(tar(file(b"f"), file(b"f/g")), root)
