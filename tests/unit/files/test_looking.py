"""Where a path leads, and what is at it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from windlass.files.looking import evaluate, find, is_kernels
from windlass.files.paths import requested


def test_links_are_followed_to_the_end_and_what_is_missing_stays(tmp_path: Path) -> None:
    root = os.path.realpath(tmp_path)
    (tmp_path / "d").mkdir()
    (tmp_path / "up").symlink_to("d/../d/missing/x")
    (tmp_path / "absolute").symlink_to(f"{root}/up")
    (tmp_path / "loop").symlink_to("loop")
    assert evaluate(f"{root}/up") == evaluate(f"{root}/absolute") == f"{root}/d/missing/x"
    assert evaluate(f"{root}/loop").startswith(root)
    assert evaluate("/../..") == "/"


def test_a_link_is_found_as_itself_and_through_a_slash_as_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "l").symlink_to("/d")
    root_fd = os.open(tmp_path, os.O_RDONLY)
    try:
        assert find(root_fd, requested("/l")).name == b"l"
        through = find(root_fd, requested("/l/"))
        assert through.name == b"" and through.status.st_ino == (tmp_path / "d").stat().st_ino
        with pytest.raises(FileNotFoundError):
            find(root_fd, requested("/absent"))
    finally:
        os.close(root_fd)


def test_the_kernel_s_file_systems_are_known_as_such(tmp_path: Path) -> None:
    for path, kernels in (("/proc", True), ("/sys", True), (str(tmp_path), False)):
        fd = os.open(path, os.O_RDONLY)
        assert is_kernels(fd) is kernels
        os.close(fd)
