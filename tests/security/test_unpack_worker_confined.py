"""Law 6: whoever took over the process that reads a layer could do nothing with it."""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from windlass.archive.confine import confine
from windlass.archive.forbidden_calls import forbidden_calls_program
from windlass.linux import mount, namespaces
from windlass.linux._libc import check, libc

pytestmark = pytest.mark.root


def confined(root: Path, act: Callable[[int], None], *, trusted_xattrs: bool = True) -> str:
    """Run `act(root_fd)` in a confined process; return what it raised, or nothing."""
    read_fd, write_fd = os.pipe()
    root_fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    pid = os.fork()
    if pid == 0:
        try:
            try:
                confine(root_fd, trusted_xattrs=trusted_xattrs)
                act(root_fd)
            except BaseException as error:
                name = errno.errorcode.get(error.errno or 0, "") if isinstance(error, OSError) else ""
                os.write(write_fd, (name or f"{type(error).__name__}: {error}").encode())
        finally:
            os._exit(0)
    os.close(root_fd)
    os.close(write_fd)
    with os.fdopen(read_fd) as pipe:
        raised = pipe.read()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return raised


def test_only_the_directory_is_left(tmp_path: Path) -> None:
    (tmp_path / "inside").write_text("x")

    def look(root_fd: int) -> None:
        for place in ("/", "/..", ".", root_fd):
            assert os.listdir(place) == ["inside"], place
        assert os.listdir(os.open("..", os.O_RDONLY, dir_fd=root_fd)) == ["inside"]

    assert confined(tmp_path, look) == ""


def test_what_unpacking_takes_still_works(tmp_path: Path) -> None:
    def work(root_fd: int) -> None:
        os.mkdir("d", dir_fd=root_fd)
        os.setxattr("/d", "trusted.overlay.opaque", b"y")
        os.mknod("null", stat.S_IFCHR | 0o666, os.makedev(1, 3), dir_fd=root_fd)
        os.chown("d", 5, 6, dir_fd=root_fd)
        os.chmod("d", 0o4755, dir_fd=root_fd)
        thread = threading.Thread(target=os.mkdir, args=("/by-a-thread",))
        thread.start()
        thread.join()

    assert confined(tmp_path, work) == ""
    assert sorted(os.listdir(tmp_path)) == ["by-a-thread", "d", "null"]


def test_device_of_the_layer_cannot_be_opened(tmp_path: Path) -> None:
    def use(root_fd: int) -> None:
        os.mknod("null", stat.S_IFCHR | 0o666, os.makedev(1, 3), dir_fd=root_fd)
        os.open("null", os.O_RDONLY, dir_fd=root_fd)

    assert confined(tmp_path, use) == "EACCES"


def _fork_new_user_namespace(_root_fd: int) -> None:
    check(
        libc.syscall(56 if os.uname().machine == "x86_64" else 220, namespaces.CLONE_NEWUSER | 17, 0, 0, 0, 0), "clone"
    )


FORBIDDEN: dict[str, Callable[[int], object]] = {
    "chroot": lambda _fd: os.chroot("/"),
    "mount": lambda _fd: mount.mount("proc", "/", "proc", 0),
    "umount": lambda _fd: mount.umount2("/", mount.MNT_DETACH),
    "open_tree": lambda fd: mount.open_tree(fd, "", recursive=False),
    "mount_setattr": lambda fd: mount.mount_setattr(fd, attr_clear=mount.MOUNT_ATTR_NODEV),
    "unshare": lambda _fd: namespaces.unshare(namespaces.CLONE_NEWUSER),
    "clone": _fork_new_user_namespace,
    "kill": lambda _fd: os.kill(os.getppid(), 0),
    "pidfd_open": lambda _fd: os.pidfd_open(os.getppid()),
    "pidfd_send_signal": lambda _fd: signal.pidfd_send_signal(0, 0),
    "execve": lambda _fd: os.execv("/inside", ["inside"]),
    "socket": lambda _fd: socket.socket(socket.AF_UNIX),
    "ptrace": lambda _fd: check(libc.ptrace(16, os.getppid(), 0, 0), "ptrace"),
    "setuid": lambda _fd: os.setuid(1),
    "sethostname": lambda _fd: socket.sethostname("taken"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_way_out_is_closed(tmp_path: Path, name: str) -> None:
    program = tmp_path / "inside"
    program.write_bytes(Path("/bin/true").read_bytes())
    program.chmod(0o755)
    assert confined(tmp_path, lambda fd: FORBIDDEN[name](fd)) == "EPERM"


def test_nothing_is_imported_from_the_layer(tmp_path: Path) -> None:
    (tmp_path / "colorsys.py").write_text("raise SystemExit('taken over')")

    def load(_root_fd: int) -> None:
        import colorsys  # noqa: F401

    assert "No module named" in confined(tmp_path, load)


def test_trusted_xattrs_only_where_they_are_needed(tmp_path: Path) -> None:
    def mark(_root_fd: int) -> None:
        os.setxattr("/", "trusted.overlay.opaque", b"y")

    assert confined(tmp_path, mark, trusted_xattrs=False) == "EPERM"


def test_nothing_is_left_mounted(tmp_path: Path) -> None:
    before = Path("/proc/self/mountinfo").read_text()
    assert confined(tmp_path, lambda _fd: None) == ""
    assert Path("/proc/self/mountinfo").read_text() == before
    tmp_path.rmdir()
    tmp_path.mkdir()


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filter_ends_in_its_own_steps(machine: str) -> None:
    """No jump leads past the end: the kernel would refuse the whole filter."""
    program = forbidden_calls_program(machine)
    assert program is not None and len(program) % 8 == 0
    count = len(program) // 8
    for position in range(count):
        step = program[8 * position : 8 * position + 8]
        if step[0] & 0x07 == 0x05:
            assert position + 1 + max(step[2], step[3]) < count
    assert forbidden_calls_program("pdp11") is None
