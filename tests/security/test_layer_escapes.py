"""Layers that try to leave their directory, or to forge overlay's marks. Nothing outside is ever touched.

Every attack is tried without the worker's chroot too: resolution alone has to hold.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.archives import (
    END,
    apply,
    census,
    directory,
    file,
    gnu_long,
    hardlink,
    node,
    opened,
    pax_header,
    raw_header,
    symlink,
    tar,
)

from windlass.archive.apply import WhiteoutMode
from windlass.archive.entry import Kind, TarEntry
from windlass.base.errors import DataLoss, InvalidParameter
from windlass.linux import removal

pytestmark = pytest.mark.root

UP = b"../" * 40


class Scene:
    """A root to apply in, and something outside to protect."""

    def __init__(self, base: Path) -> None:
        self.root = base / "a/b/root"
        self.root.mkdir(parents=True)
        self.outside = base / "outside"
        self.outside.mkdir()
        (self.outside / "victim").write_text("precious")
        self.target = os.fsencode(str(self.outside))
        self.before = census(self.outside)
        self.siblings = sorted(os.listdir(base)), sorted(os.listdir(base / "a/b"))
        self.base = base

    def check(self) -> None:
        assert census(self.outside) == self.before
        assert (sorted(os.listdir(self.base)), sorted(os.listdir(self.base / "a/b"))) == self.siblings


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    yield Scene(tmp_path)
    # Some trees are deeper than pytest's own removal can go.
    with opened(tmp_path) as fd:
        removal.empty(fd)


def refused(scene: Scene, archive: bytes, mode: WhiteoutMode = WhiteoutMode.OVERLAY) -> None:
    with pytest.raises(InvalidParameter):
        apply(archive, scene.root, mode)
    scene.check()


def contained(scene: Scene, archive: bytes, mode: WhiteoutMode = WhiteoutMode.OVERLAY) -> None:
    apply(archive, scene.root, mode)
    scene.check()


@pytest.mark.parametrize("name", [b"../x", b"a/../../x", UP + b"etc/x", b"/../x", b"..", b"d/../.."])
@pytest.mark.parametrize(
    "make", [file, directory, lambda name: symlink(name, b"x"), lambda name: node(name, Kind.FIFO)]
)
def test_name_that_climbs_is_refused(scene: Scene, name: bytes, make) -> None:  # type: ignore[no-untyped-def]
    refused(scene, tar(make(name)))


@pytest.mark.parametrize(
    "header",
    [
        pax_header([(b"path", b"../x")]),
        gnu_long(b"L", b"../x"),
        pax_header([(b"GNU.sparse.name", b"../x")]),
        pax_header([(b"path", b"fine"), (b"path", b"../x")]),
    ],
)
def test_name_that_climbs_by_an_override_is_refused(scene: Scene, header: bytes) -> None:
    refused(scene, header + raw_header(b"fine") + END)


def test_name_that_climbs_by_a_prefix_is_refused(scene: Scene) -> None:
    refused(scene, raw_header(b"x", fields={345: b".."}) + END)


@pytest.mark.parametrize("name", [b"./", b".", b"/", b"a/.."])
@pytest.mark.parametrize("make", [file, lambda name: symlink(name, b"x"), lambda name: hardlink(name, b"x")])
def test_root_cannot_be_replaced(scene: Scene, name: bytes, make) -> None:  # type: ignore[no-untyped-def]
    refused(scene, tar(make(name)))


def test_absolute_name_is_inside(scene: Scene) -> None:
    contained(scene, tar(file(scene.target + b"/victim", b"changed")))
    assert (scene.root / str(scene.outside).lstrip("/") / "victim").read_bytes() == b"changed"


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize(
    "second",
    [
        file(b"link/victim", b"changed"),
        directory(b"link/victim"),
        symlink(b"link/victim", b"x"),
        file(b"link/deep/er/new"),
        hardlink(b"mine", b"link/victim"),
        file(b"link/.wh.victim"),
        file(b"link/.wh..wh..opq"),
        node(b"link/null", Kind.CHAR, 1, 3),
    ],
)
@pytest.mark.parametrize("mode", WhiteoutMode)
def test_write_through_a_planted_link_stays_inside(
    scene: Scene, relative: bool, second: tuple, mode: WhiteoutMode
) -> None:  # type: ignore[type-arg]
    target = UP + scene.target.lstrip(b"/") if relative else scene.target
    inside = directory(scene.target.lstrip(b"/"))
    for entries in ([symlink(b"link", target), second], [inside, symlink(b"link", target), second]):
        try:
            apply(tar(*entries), scene.root, mode)
        except InvalidParameter:
            pass
        scene.check()


def test_link_over_a_directory_in_use_is_not_followed_out(scene: Scene) -> None:
    contained(
        scene,
        tar(
            directory(scene.target.lstrip(b"/")),
            file(b"d/first"),
            symlink(b"d", scene.target),
            file(b"d/victim", b"changed"),
        ),
    )
    inside = scene.root / str(scene.outside).lstrip("/")
    assert (inside / "victim").read_bytes() == b"changed"


def test_file_over_a_planted_link_replaces_the_link(scene: Scene) -> None:
    contained(scene, tar(symlink(b"f", scene.target + b"/victim"), file(b"f", b"changed")))
    assert not (scene.root / "f").is_symlink()


def test_directory_over_a_planted_link_replaces_the_link(scene: Scene) -> None:
    contained(scene, tar(symlink(b"d", scene.target), directory(b"d/", 0o777), file(b"d/victim", b"x")))
    assert not (scene.root / "d").is_symlink()


def test_attributes_are_not_set_through_a_link(scene: Scene) -> None:
    contained(
        scene, tar((TarEntry(name=b"l", kind=Kind.SYMLINK, linkname=scene.target, mode=0o777, uid=5, mtime_ns=1), b""))
    )


def test_chain_of_links_stays_inside(scene: Scene) -> None:
    refused(scene, tar(symlink(b"a", b"b"), symlink(b"b", b"a"), file(b"a/x")))
    contained(scene, tar(symlink(b"c", b"."), symlink(b"e", b"c/.."), file(b"e/inside")))
    assert (scene.root / "inside").exists()


@pytest.mark.parametrize("name", [b".wh.", b".wh..", b".wh...", b"d/.wh..", b"d/.wh...", b".wh..wh./x", b".wh.d/f"])
@pytest.mark.parametrize("mode", WhiteoutMode)
def test_whiteout_tricks(scene: Scene, name: bytes, mode: WhiteoutMode) -> None:
    (scene.root / "d").mkdir()
    (scene.root / "d/kept").write_text("x")
    try:
        apply(tar(file(name)), scene.root, mode)
    except InvalidParameter:
        pass
    scene.check()
    assert (scene.root / "d/kept").exists()


def test_whiteouts_by_a_climbing_path_are_refused(scene: Scene) -> None:
    for mode in WhiteoutMode:
        refused(scene, tar(file(b"../outside/.wh.victim")), mode)
        refused(scene, tar(file(b"../.wh.outside")), mode)
        refused(scene, tar(file(b"../outside/.wh..wh..opq")), mode)


@pytest.mark.parametrize("name", [b"trusted.overlay.opaque", b"trusted.overlay.redirect", b"user.overlay.whiteout"])
@pytest.mark.parametrize("kind", [Kind.FILE, Kind.DIRECTORY])
def test_overlay_xattr_is_refused(scene: Scene, name: bytes, kind: Kind) -> None:
    refused(scene, tar((TarEntry(name=b"x", kind=kind, xattrs={name: b"y"}), b"")))
    assert all(not key.startswith(("trusted.", "user.")) for key in os.listxattr(scene.root / "x"))


@pytest.mark.parametrize("kind", [Kind.CHAR, Kind.BLOCK])
def test_forged_whiteout_device_is_refused(scene: Scene, kind: Kind) -> None:
    refused(scene, tar(node(b"x", kind, 0, 0)))


def test_device_numbers_out_of_range_are_refused(scene: Scene) -> None:
    refused(scene, tar(node(b"x", Kind.CHAR, 1 << 12, 0)))
    refused(scene, tar(node(b"x", Kind.CHAR, 0, 1 << 20)))


@pytest.mark.parametrize("uid", [(1 << 32) - 1, 1 << 32, 1 << 62])
def test_owner_that_the_kernel_would_misread_is_refused(scene: Scene, uid: int) -> None:
    refused(scene, tar(file(b"x", uid=uid)))
    refused(scene, tar(file(b"x", gid=uid)))


@pytest.mark.parametrize(
    "name", [b"x" * 256, b"d/" * 2047 + b"f" * 3, b"x" * 5000, b"n/" * 1_000], ids=["component", "path", "long", "deep"]
)
def test_names_beyond_the_kernel(scene: Scene, name: bytes) -> None:
    try:
        apply(tar(file(name)), scene.root)
    except InvalidParameter:
        pass
    scene.check()


def test_nul_in_names_is_refused(scene: Scene) -> None:
    body = b"16 path=ab\0/../x\n"
    with pytest.raises((DataLoss, InvalidParameter)):
        apply(raw_header(flag=b"x", size=len(body)) + body.ljust(512, b"\0") + raw_header(b"f") + END, scene.root)
    scene.check()


@pytest.mark.parametrize("name", [b"\xff\xfe", b"a\nb", b"\x1b[2J", "e\u0301".encode(), b"CON", b" ", b"*"])
def test_odd_names_are_just_names(scene: Scene, name: bytes) -> None:
    contained(scene, tar(file(name, b"x")))
    assert os.listdir(os.fsencode(scene.root)) == [name]


@pytest.mark.parametrize("target", [b"", b"a\0b", b"x" * 4096])
def test_impossible_link_target_is_refused(scene: Scene, target: bytes) -> None:
    if b"\0" in target:
        with pytest.raises((DataLoss, InvalidParameter)):
            apply(pax_header([(b"linkpath", target)]) + raw_header(b"l", b"2") + END, scene.root)
        scene.check()
    else:
        refused(scene, (pax_header([(b"linkpath", target)]) if target else b"") + raw_header(b"l", b"2") + END)


def test_set_id_file_is_set_up_closed(scene: Scene) -> None:
    """A set-id file is never there with its mode before it has its owner."""
    contained(scene, tar(file(b"su", b"x", mode=0o6755, uid=1000, gid=1000)))
    status = (scene.root / "su").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o6755, 1000)


def test_proc_magic_links_lead_nowhere(scene: Scene) -> None:
    """A layer's directory has no /proc; one that had (a container's root) must not lead out by it."""
    with pytest.raises(InvalidParameter):
        apply(
            tar(symlink(b"l", b"/proc/self/root"), file(b"l/x"), symlink(b"l", b"/proc/self/cwd"), file(b"l/y/z")),
            scene.root,
        )
    scene.check()
