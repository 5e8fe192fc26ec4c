"""Probes against described hosts."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from windlass.host import kernel, network, resources
from windlass.host.check import Absent, Limited

BOTH = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
"""
ROOTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
60 22 0:50 / /var rw,relatime - overlay overlay rw,lowerdir=/a
"""


@pytest.fixture
def mounts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of a described mountinfo."""
    lines: list[str] = []

    def parsed() -> list[tuple[list[str], list[str]]]:
        halves = [line.partition(" - ") for line in lines]
        return [(left.split(" "), right.split(" ")) for left, _, right in halves]

    monkeypatch.setattr(resources, "_mounts", parsed)
    return lines


def test_version_1_controllers_are_named(mounts: list[str]) -> None:
    mounts += BOTH.splitlines()
    assert resources.control_groups() == "version 1 (cpu cpuacct memory)"
    assert resources.controller("cpu")() == "version 1"


def test_an_unmounted_controller_is_absent(mounts: list[str]) -> None:
    mounts += BOTH.splitlines()
    with pytest.raises(Absent, match="mounted controllers of version 1"):
        resources.controller("io")()


def test_version_2_controllers_come_from_its_root(mounts: list[str], tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory\n")
    mounts.append(f"31 23 0:28 / {tmp_path} rw - cgroup2 cgroup2 rw")
    assert resources.control_groups() == "version 2 (cpu cpuset io memory)"
    assert resources.controller("io")() == "version 2"
    with pytest.raises(Absent):
        resources.controller("pids")()


def test_no_control_groups(mounts: list[str]) -> None:
    with pytest.raises(Absent, match="no cgroup file system"):
        resources.control_groups()


def test_the_innermost_mount_decides_on_the_file_system(mounts: list[str]) -> None:
    mounts += ROOTS.splitlines()
    assert resources.file_system("/srv-of-nobody/windlass") == "ext4 at /"
    with pytest.raises(Absent, match="overlay at /var"):
        resources.file_system("/var/lib-of-nobody/windlass")


def test_little_disk_space_is_a_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(resources, "LOW_SPACE_BYTES", 1 << 62)
    with pytest.raises(Limited, match="MiB free"):
        resources.disk(str(tmp_path / "not" / "there"))


class AnsweringConnection:
    """Stands for a netlink connection whose kernel refuses with one errno."""

    number = 0

    @classmethod
    def open(cls, protocol: int) -> AnsweringConnection:
        return cls()

    def __enter__(self) -> AnsweringConnection:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def attempt(self, requests: list[object]) -> list[OSError]:
        return [OSError(self.number, "refused")]


@pytest.fixture
def kernel_answers(monkeypatch: pytest.MonkeyPatch) -> type[AnsweringConnection]:
    monkeypatch.setattr(network, "Connection", AnsweringConnection)
    return AnsweringConnection


def test_a_kernel_that_refuses_only_the_address_knows_the_kind(kernel_answers: type[AnsweringConnection]) -> None:
    kernel_answers.number = errno.EINVAL
    assert network.veth_links() == network.bridge_links() == "present"


@pytest.mark.parametrize(("number", "outcome"), [(errno.EOPNOTSUPP, Absent), (errno.EPERM, Limited)])
def test_a_kernel_that_refuses_the_kind_or_us(
    kernel_answers: type[AnsweringConnection], number: int, outcome: type[Exception]
) -> None:
    kernel_answers.number = number
    with pytest.raises(outcome):
        network.veth_links()


@pytest.mark.parametrize(
    ("release", "new_enough"), [("6.18.44-fc", True), ("5.10.0", True), ("5.4.0-150-generic", False)]
)
def test_kernel_release(monkeypatch: pytest.MonkeyPatch, release: str, new_enough: bool) -> None:
    class Uname:
        def __init__(self) -> None:
            self.release = release

    monkeypatch.setattr(kernel.os, "uname", Uname)
    if new_enough:
        assert kernel.kernel() == release
    else:
        with pytest.raises(Absent):
            kernel.kernel()


def test_a_library_that_is_not_there_is_an_error_of_the_linker() -> None:
    with pytest.raises(OSError, match=r"libnothing-of-the-sort\.so\.9"):
        resources.library("libnothing-of-the-sort.so.9")()


def test_a_missing_capability_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "effective_capabilities", lambda: 0x1FFFFFFFFFF & ~(1 << 27))
    with pytest.raises(Limited, match="lacks CAP_MKNOD"):
        kernel.capabilities_of_containers()
