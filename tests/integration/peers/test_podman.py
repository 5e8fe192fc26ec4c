"""podman runs its containers on `windlass-runtime`, unchanged."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.peers import IMAGE, ULIMITS, Peer, group_file, remove_group, require, runtime_script
from tests.support.rootfs import make_busybox_root
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.root, pytest.mark.cgroup1]

_PARENT = f"windlass-tests-{os.getpid()}-podman"
_RUN = ("run", "--network", "none", "--cgroup-parent", f"/{_PARENT}", *ULIMITS)


@pytest.fixture
def podman(engine: Peer) -> Iterator[Peer]:
    """The engine, without containers in the end."""
    yield engine
    engine("rm", "--all", "--force", "--time", "0")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """podman with storage of its own and one image."""
    program = require("podman", "podman")
    require("conmon", "conmon")
    directory = tmp_path_factory.mktemp("podman")
    make_busybox_root(directory / "root")
    archive = shutil.make_archive(str(directory / "root"), "tar", directory / "root")
    peer = Peer(
        [
            program,
            "--root",
            str(directory / "storage"),
            "--runroot",
            str(directory / "run"),
            "--runtime",
            str(runtime_script(directory)),
            "--cgroup-manager",
            "cgroupfs",
            "--events-backend",
            "file",
            "--storage-driver",
            "vfs",
            "--tmpdir",
            str(directory / "tmp"),
        ]
    )
    peer("import", archive, IMAGE)
    yield peer
    remove_group(_PARENT)
    remove_group("libpod_parent")


def test_run_and_its_codes(podman: Peer) -> None:
    assert podman(*_RUN, "--rm", IMAGE, "sh", "-c", "id -u; exit 6", status=6) == "0\n"
    assert "executable file not found" in podman(*_RUN, "--rm", IMAGE, "nope", status=127)
    assert "is a directory" in podman(*_RUN, "--rm", IMAGE, "/bin", status=126)
    assert podman(*_RUN, "--rm", "--init=false", "--user", "1000:1000", IMAGE, "id", "-u") == "1000\n"


def test_a_container_s_life(podman: Peer) -> None:
    podman(*_RUN, "-d", "--name", "one", "--memory", "64m", IMAGE, "sh", "-c", "echo words; exec sleep 1000")
    pid = podman("inspect", "-f", "{{.State.Pid}}", "one").strip()
    assert group_file(pid, "memory", "memory.limit_in_bytes") == str(64 << 20)
    assert podman("exec", "one", "sh", "-c", "cat /proc/1/comm; exit 5", status=5) == "sleep\n"
    assert "executable file not found" in podman("exec", "one", "nope", status=127)
    assert podman("logs", "one") == "words\n"
    assert "67.11MB" in podman("stats", "--no-stream", "--format", "{{.MemUsage}}", "one")
    assert "sleep 1000" in podman("top", "one", "args")
    podman("pause", "one")
    assert podman("inspect", "-f", "{{.State.Status}}", "one") == "paused\n"
    podman("unpause", "one")
    podman("update", "--memory", "128m", "one")
    assert group_file(pid, "memory", "memory.limit_in_bytes") == str(128 << 20)
    podman("kill", "one")
    assert podman("wait", "one") == "137\n"
    podman("rm", "one")


def test_terminals(podman: Peer) -> None:
    screen = Terminal([*podman.command, *_RUN, "--rm", "-it", IMAGE, "sh", "-c", "tty; read word; echo got $word"])
    screen.wait_for(b"/dev/pts/0")
    screen.type(b"words\r")
    screen.wait_for(b"got words")
    assert screen.finish()[0] == 0


def test_states_are_gone_at_the_end(podman: Peer) -> None:
    podman(*_RUN, "--rm", IMAGE, "true")
    assert podman("ps", "-aq") == ""
    left = Path("/run/windlass/runtime")
    names = os.listdir(left) if left.exists() else []
    assert not [name for name in names if len(name) == 64 and not (left / name / "state.json").exists()]
