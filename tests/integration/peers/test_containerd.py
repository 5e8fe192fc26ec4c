"""containerd's shim for runc runs containers on `windlass-runtime`, unchanged."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.peers import Peer, remove_group, require, runtime_script, service
from tests.support.rootfs import make_busybox_root

pytestmark = [pytest.mark.root, pytest.mark.cgroup1]

_SPACE = f"windlass-tests-{os.getpid()}-ctr"
_CONFIG = """
version = 2
root = "{directory}/root"
state = "{directory}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{directory}/containerd.sock"
[ttrpc]
  address = "{directory}/ttrpc.sock"
"""


@pytest.fixture(scope="module")
def ctr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Peer, Path]]:
    """A private containerd by its own command, and a root file system."""
    program, client = require("containerd", "containerd"), require("ctr", "containerd")
    directory = tmp_path_factory.mktemp("ctr")
    (directory / "config.toml").write_text(_CONFIG.format(directory=directory))
    make_busybox_root(directory / "rootfs")
    socket = directory / "containerd.sock"
    with service([program, "-c", str(directory / "config.toml")], socket, directory / "log"):
        peer = Peer([client, "-a", str(socket), "-n", _SPACE])
        yield peer, directory / "rootfs"
        for name in peer("task", "ls", "-q").split():
            peer("task", "rm", "-f", name)
    remove_group(_SPACE)


def test_run_exec_pause_kill_and_figures(ctr: tuple[Peer, Path]) -> None:
    command, root = ctr
    run = ("run", "--runc-binary", str(runtime_script(root.parent)), "--rootfs")
    assert command(*run, "--rm", str(root), "one", "/bin/id", "-u") == "0\n"
    command(*run, "-d", str(root), "two", "/bin/sleep", "1000")
    assert "RUNNING" in command("task", "ls")
    command("task", "exec", "--exec-id", "e", "two", "/bin/sh", "-c", "exit 7", status=7)
    assert "memory.usage_in_bytes" in command("task", "metrics", "two")
    command("task", "pause", "two")
    assert "PAUSED" in command("task", "ls")
    command("task", "resume", "two")
    command("task", "kill", "-s", "KILL", "two")
    deadline = time.monotonic() + 20
    while "STOPPED" not in command("task", "ls"):
        assert time.monotonic() < deadline
    assert "code 137" in command("task", "rm", "two")
    command("container", "rm", "two")
