"""File system calls beyond `os`."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from windlass.linux import fs


@pytest.fixture
def root_fd(tmp_path: Path) -> Iterator[int]:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/passwd").write_text("inside")
    (tmp_path / "secret").write_text("outside")
    (root / "up").symlink_to("../../../../secret")
    (root / "absolute").symlink_to("/etc/passwd")
    (root / "magic").symlink_to("/proc/self/cwd")
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def read(fd: int) -> bytes:
    with os.fdopen(fd, "rb") as file:
        return file.read()


@pytest.mark.parametrize("path", [b"etc/passwd", b"/etc/passwd", b"../../etc/passwd", b"absolute"])
def test_open_in_root_stays_below(root_fd: int, path: bytes) -> None:
    assert read(fs.open_in_root(root_fd, path, os.O_RDONLY)) == b"inside"


@pytest.mark.parametrize("path", [b"up", b"../secret", b"magic/x"])
def test_open_in_root_finds_nothing_outside(root_fd: int, path: bytes) -> None:
    with pytest.raises(FileNotFoundError):
        fs.open_in_root(root_fd, path, os.O_RDONLY)


def test_magic_link_is_no_way_out() -> None:
    fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        with pytest.raises(OSError) as caught:
            fs.open_in_root(fd, b"proc/self/cwd", os.O_RDONLY)
        assert caught.value.errno == errno.ELOOP
    finally:
        os.close(fd)


def test_opened_descriptor_is_close_on_exec(root_fd: int) -> None:
    fd = fs.openat2(root_fd, b"etc", os.O_RDONLY)
    assert not os.get_inheritable(fd)
    os.close(fd)


def test_nul_does_not_cut_a_path(root_fd: int) -> None:
    with pytest.raises(OSError) as caught:
        fs.openat2(root_fd, b"etc\0/passwd", os.O_RDONLY)
    assert caught.value.errno == errno.EINVAL


def test_error_names_the_path(root_fd: int) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        fs.openat2(root_fd, b"missing", os.O_RDONLY)
    assert caught.value.filename == b"missing"


def test_rename_that_must_not_replace(root_fd: int) -> None:
    os.mkdir("a", dir_fd=root_fd)
    with pytest.raises(FileExistsError):
        fs.renameat2(root_fd, b"a", root_fd, b"etc", fs.RENAME_NOREPLACE)
    fs.renameat2(root_fd, b"a", root_fd, b"etc", fs.RENAME_EXCHANGE)
    assert os.listdir(os.open("a", os.O_RDONLY, dir_fd=root_fd)) == ["passwd"]


def test_link_does_not_follow(root_fd: int) -> None:
    fs.linkat(root_fd, b"up", root_fd, b"other")
    assert os.readlink("other", dir_fd=root_fd) == "../../../../secret"


@pytest.mark.parametrize(("size", "asked"), [(0, 10), (10, 4), (10, 100), (3 << 20, 3 << 20)])
def test_copy_between_files(tmp_path: Path, size: int, asked: int) -> None:
    data = os.urandom(size)
    (tmp_path / "a").write_bytes(data)
    with open(tmp_path / "a", "rb") as source, open(tmp_path / "b", "wb") as target:
        assert fs.copy_range(source.fileno(), target.fileno(), asked) == min(size, asked)
    assert (tmp_path / "b").read_bytes() == data[:asked]


def test_copy_to_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"data")
    read_fd, write_fd = os.pipe()
    with open(tmp_path / "a", "rb") as source:
        assert fs.copy_range(source.fileno(), write_fd, 100) == 4
    os.close(write_fd)
    assert read(read_fd) == b"data"


def test_sync(root_fd: int) -> None:
    fs.syncfs(root_fd)


def test_mount_points_are_known(tmp_path: Path) -> None:
    fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert fs.is_mount_point(fd, b"proc")
        with pytest.raises(FileNotFoundError):
            fs.is_mount_point(fd, b"no-such-directory")
    finally:
        os.close(fd)


def test_spreading_is_asked_for_or_not_offered(root_fd: int) -> None:
    assert fs.spread_children(root_fd) in (True, False)
    os.mkdir("child", dir_fd=root_fd)
