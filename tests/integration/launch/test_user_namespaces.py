"""Namespaces that the zygote makes for remapped containers."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
from pathlib import Path

import pytest
from tests.support.launching import Bench

from windlass.base.errors import System
from windlass.runtime.task import NetNs
from windlass.spec.id_mappings import IdMappings, stacked

pytestmark = pytest.mark.root

_MAPPINGS = IdMappings(stacked([(100000, 1000), (300000, 64536)]), stacked([(200000, 65536)]))
_NS_GET_USERNS = 0xB701


def _close(made: NetNs) -> None:
    for fd in (made.netns_fd, made.userns_fd):
        os.close(fd)
    made.route_socket.close()


def _owner_of(namespace_fd: int) -> int:
    """The inode of the user namespace that owns a namespace. Source: ioctl_ns(2)."""
    owner = fcntl.ioctl(namespace_fd, _NS_GET_USERNS)
    try:
        return os.fstat(owner).st_ino
    finally:
        os.close(owner)


def _inside(userns_fd: int, *argv: str) -> str:
    """Run a program as the namespace's root."""
    command = ["nsenter", f"--user=/proc/self/fd/{userns_fd}", "-S0", "-G0", *argv]
    return subprocess.run(command, pass_fds=[userns_fd], check=True, capture_output=True, text=True).stdout


async def test_a_new_user_namespace_owns_the_network(bench: Bench) -> None:
    made = await bench.launcher.new_netns(_MAPPINGS)
    try:
        assert _owner_of(made.netns_fd) == os.fstat(made.userns_fd).st_ino
        assert os.fstat(made.userns_fd).st_ino != Path("/proc/self/ns/user").stat().st_ino
        maps = _inside(made.userns_fd, "cat", "/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/setgroups")
        assert [line.split() for line in maps.splitlines()] == [
            ["0", "100000", "1000"],
            ["1000", "300000", "64536"],
            ["0", "200000", "65536"],
            ["allow"],
        ]
        # Made inside: the index 1 is lo's, also where the host has other interfaces.
        assert made.route_socket.family == socket.AF_NETLINK
    finally:
        _close(made)


async def test_a_network_can_join_an_owner(bench: Bench) -> None:
    first = await bench.launcher.new_netns(_MAPPINGS)
    second = await bench.launcher.new_netns(userns_fd=first.userns_fd)
    try:
        assert os.fstat(second.netns_fd).st_ino != os.fstat(first.netns_fd).st_ino
        assert _owner_of(second.netns_fd) == os.fstat(second.userns_fd).st_ino == os.fstat(first.userns_fd).st_ino
    finally:
        _close(first)
        _close(second)


async def test_a_map_that_the_kernel_refuses_is_named(bench: Bench) -> None:
    overlapping = IdMappings(stacked([(0, 10), (5, 10)]), stacked([(0, 10)]))
    with pytest.raises(System, match=r"make network namespace: map uids 0:0:10, 10:5:10: Invalid argument"):
        await bench.launcher.new_netns(overlapping)
    _close(await bench.launcher.new_netns(_MAPPINGS))
