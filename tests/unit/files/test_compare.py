"""What is a change and what is not, on plain directories that stand for the layers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from windlass.files.compare import Change, compare
from windlass.files.scaffold import scaffold

A, C, D = Change.ADDED, Change.MODIFIED, Change.DELETED


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    directory = tmp_path / "upper"
    directory.mkdir()
    return directory


@pytest.fixture
def image(tmp_path: Path) -> Path:
    directory = tmp_path / "image"
    directory.mkdir()
    return directory


def changes(upper: Path, image: Path | None) -> list[tuple[bytes, Change]]:
    upper_fd = os.open(upper, os.O_RDONLY)
    image_fd = os.open(image, os.O_RDONLY) if image is not None else -1
    try:
        return compare(upper_fd, image_fd, scaffold(upper_fd, image_fd))
    finally:
        os.close(upper_fd)
        if image_fd >= 0:
            os.close(image_fd)


def write(root: Path, name: str, text: str = "", mtime_s: float = 1000) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (mtime_s, mtime_s))


def test_added_files_bring_the_directories_above_them(upper: Path, image: Path) -> None:
    write(upper, "d/e/f")
    (image / "d").mkdir()
    assert changes(upper, image) == [(b"d", C), (b"d/e", A), (b"d/e/f", A)]


def test_a_copied_up_file_is_a_change_only_when_something_about_it_differs(upper: Path, image: Path) -> None:
    for name in ("same", "size", "time", "mode"):
        write(image, name, "x")
        write(upper, name, "x")
    write(upper, "size", "xy")
    write(upper, "time", "x", 1001)
    (upper / "mode").chmod(0o600)
    assert changes(upper, image) == [(b"mode", C), (b"size", C), (b"time", C)]


def test_times_that_an_archive_has_cut_are_the_same(upper: Path, image: Path) -> None:
    write(image, "f", "x", 1000)
    write(upper, "f", "x", 1000.25)
    assert changes(upper, image) == []


def test_the_time_of_a_directory_is_no_change_and_its_mode_is(upper: Path, image: Path) -> None:
    for root in (upper, image):
        (root / "time").mkdir()
        (root / "mode").mkdir()
    os.utime(upper / "time", (1, 1))
    (upper / "mode").chmod(0o700)
    assert changes(upper, image) == [(b"mode", C)]


def test_a_file_where_a_directory_was_is_one_change(upper: Path, image: Path) -> None:
    write(image, "d/inside")
    write(upper, "d")
    assert changes(upper, image) == [(b"d", C)]


@pytest.mark.root
def test_whiteouts_and_opaque_directories_are_deletions(upper: Path, image: Path) -> None:
    for name in ("gone", "d/old", "d/both", "d/sub/x"):
        write(image, name, "x")
    os.mknod(upper / "gone", 0o020000)
    os.mknod(upper / "never-was", 0o020000)
    write(upper, "d/both", "x")
    write(upper, "d/new")
    os.setxattr(upper / "d", "trusted.overlay.opaque", b"y")
    assert changes(upper, image) == [(b"d", C), (b"d/new", A), (b"d/old", D), (b"d/sub", D), (b"gone", D)]


def test_without_an_image_everything_is_new(upper: Path) -> None:
    write(upper, "a/b")
    assert changes(upper, None) == [(b"a", A), (b"a/b", A)]


@pytest.fixture
def started(upper: Path) -> Callable[[], None]:
    """What a start leaves behind in a container's own layer."""

    def leave() -> None:
        for name in ("etc/hosts", "etc/hostname", "etc/resolv.conf"):
            write(upper, name)
        for name in ("dev", "proc", "sys"):
            (upper / name).mkdir()

    return leave


def test_what_a_start_leaves_is_no_change(upper: Path, image: Path, started: Callable[[], None]) -> None:
    started()
    assert changes(upper, image) == []
    (image / "etc").mkdir()
    assert changes(upper, image) == []


def test_what_the_user_did_in_those_places_is(upper: Path, image: Path, started: Callable[[], None]) -> None:
    started()
    (image / "etc").mkdir()
    write(upper, "etc/mine", "x")
    write(upper, "etc/hosts", "written where nothing was mounted")
    assert changes(upper, image) == [(b"etc", C), (b"etc/hosts", A), (b"etc/mine", A)]
    (upper / "etc" / "mine").unlink()
    (upper / "etc" / "hosts").write_text("")
    (upper / "etc").chmod(0o700)
    assert changes(upper, image) == [(b"etc", C)]
