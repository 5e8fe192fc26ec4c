"""CVE-2019-5736 once more: a program behind a detached read-only mount stays as it is, whatever root may ask for."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from windlass.linux import mount as m
from windlass.runtime import sealed

pytestmark = pytest.mark.root


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of ours in the interpreter's place, too large to be copied."""
    path = tmp_path / "program"
    shutil.copy("/bin/sleep", path)
    with open(path, "ab") as file:
        file.truncate(2 << 20)
    monkeypatch.setattr(sys, "executable", str(path))
    return path


@pytest.fixture
def victim(program: Path) -> subprocess.Popen[bytes]:
    """A process that runs it as the sealed interpreter is run."""
    fd = sealed.sealed_program()
    process = subprocess.Popen(["sleep", "1000"], executable=f"/proc/self/fd/{fd}", pass_fds=[fd])
    os.close(fd)
    yield process  # type: ignore[misc]
    process.kill()
    process.wait()


def test_it_cannot_be_written_nor_made_writable(program: Path, victim: subprocess.Popen[bytes]) -> None:
    handle = os.open(f"/proc/{victim.pid}/exe", os.O_PATH)
    assert os.fstat(handle).st_ino == program.stat().st_ino
    # While it runs the text is busy; who wants to write it waits for the end.
    victim.kill()
    victim.wait()
    link = f"/proc/self/fd/{handle}"
    try:
        for attempt in (lambda: os.open(link, os.O_RDWR), lambda: os.chmod(link, 0o777)):
            with pytest.raises(OSError, match=os.strerror(errno.EROFS)):
                attempt()
        for change in (
            lambda: m.mount_setattr(handle, attr_clear=m.MOUNT_ATTR_RDONLY),
            lambda: m.open_tree(handle, "", recursive=False),
            lambda: m.mount(None, link, None, m.MS_REMOUNT | m.MS_BIND),
        ):
            with pytest.raises(OSError, match=os.strerror(errno.EINVAL)):
                change()
    finally:
        os.close(handle)


def test_before_the_descriptor_is_closed_it_could_be(program: Path) -> None:
    """The oracle: what the closed descriptor takes away."""
    fd = sealed.sealed_program()
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EROFS)):
            os.open(f"/proc/self/fd/{fd}", os.O_RDWR)
        m.mount_setattr(fd, attr_clear=m.MOUNT_ATTR_RDONLY)
        os.close(os.open(f"/proc/self/fd/{fd}", os.O_RDWR))
    finally:
        os.close(fd)


def test_a_small_one_is_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "small"
    shutil.copy("/bin/sleep", path)
    monkeypatch.setattr(sys, "executable", str(path))
    fd = sealed.sealed_program()
    try:
        assert os.readlink(f"/proc/self/fd/{fd}").startswith("/memfd:small")
        with pytest.raises(OSError, match=os.strerror(errno.EPERM)):
            os.ftruncate(fd, 0)
        assert Path(f"/proc/self/fd/{fd}").read_bytes() == path.read_bytes()
    finally:
        os.close(fd)
