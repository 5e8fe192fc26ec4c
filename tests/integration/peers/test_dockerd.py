"""Docker's own engine runs containers on `windlass-runtime`, by its containerd and shim, unchanged."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from tests.support.daemon import DOCKER
from tests.support.peers import IMAGE, Peer, group_file, remove_group, require, runtime_script, service
from tests.support.rootfs import make_busybox_root
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.root, pytest.mark.cgroup1]

_PARENT = f"windlass-tests-{os.getpid()}-dockerd"
_RUN = ("run", "--runtime", "windlass", "--network", "none")


@pytest.fixture
def docker(engine: Peer) -> Iterator[Peer]:
    """The engine, without containers in the end."""
    yield engine
    if left := engine("ps", "-aq").split():
        engine("rm", "-f", *left)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """A private dockerd with everything of its own, and one image."""
    program = require("dockerd", "docker.io")
    if DOCKER is None:
        pytest.skip("the docker command is not installed (Debian: package docker.io)")
    # Not below pytest's directory: containerd's shims listen on paths that have to be short.
    directory = tmp_path_factory.mktemp("d")
    socket = directory / "docker.sock"
    command = [program, "-H", f"unix://{socket}", "--data-root", str(directory / "data")]
    command += ["--exec-root", str(directory / "exec"), "--pidfile", str(directory / "pid")]
    command += ["--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-masq=false"]
    command += [
        "--add-runtime",
        f"windlass={runtime_script(directory)}",
        "--cgroup-parent",
        f"/{_PARENT}",
        "--storage-driver",
        "vfs",
    ]
    make_busybox_root(directory / "root")
    archive = shutil.make_archive(str(directory / "root"), "tar", directory / "root")
    with service(command, socket, directory / "log"):
        peer = Peer([DOCKER, "-H", f"unix://{socket}"])
        peer("import", archive, IMAGE)
        yield peer
    remove_group(_PARENT)
    subprocess.run(["umount", "-R", str(directory / "data")], stderr=subprocess.DEVNULL, check=False)


def test_run_and_its_codes(docker: Peer) -> None:
    assert docker(*_RUN, "--rm", IMAGE, "sh", "-c", "id -u; exit 6", status=6) == "0\n"
    assert "executable file not found" in docker(*_RUN, "--rm", IMAGE, "nope", status=127)
    assert "is a directory" in docker(*_RUN, "--rm", IMAGE, "/bin", status=126)


def test_a_container_s_life(docker: Peer) -> None:
    docker(*_RUN, "-d", "--name", "one", "--memory", "64m", IMAGE, "sh", "-c", "echo words; exec sleep 1000")
    pid = docker("inspect", "-f", "{{.State.Pid}}", "one").strip()
    assert group_file(pid, "memory", "memory.limit_in_bytes") == str(64 << 20)
    assert docker("exec", "one", "sh", "-c", "cat /proc/1/comm; exit 5", status=5) == "sleep\n"
    assert "executable file not found" in docker("exec", "one", "nope", status=126)
    assert docker("logs", "one") == "words\n"
    assert "64MiB" in docker("stats", "--no-stream", "--format", "{{.MemUsage}}", "one")
    assert "sleep 1000" in docker("top", "one")
    docker("pause", "one")
    assert docker("inspect", "-f", "{{.State.Status}}", "one") == "paused\n"
    docker("unpause", "one")
    docker("update", "--memory", "128m", "--memory-swap", "256m", "one")
    assert group_file(pid, "memory", "memory.limit_in_bytes") == str(128 << 20)
    docker("kill", "one")
    assert docker("wait", "one") == "137\n"
    docker("rm", "one")


def test_out_of_memory_is_seen(docker: Peer) -> None:
    eats = "x=$(head -c 30000000 /dev/zero | tr '\\0' a)"
    docker(*_RUN, "--name", "one", "--memory", "8m", "--memory-swap", "8m", IMAGE, "sh", "-c", eats, status=137)
    assert docker("inspect", "-f", "{{.State.OOMKilled}}", "one") == "true\n"
    docker("rm", "one")


def test_terminals(docker: Peer) -> None:
    screen = Terminal([*docker.command, *_RUN, "--rm", "-it", IMAGE, "sh", "-c", "tty; read word; echo got $word"])
    screen.wait_for(b"/dev/pts/0")
    screen.resize(40, 90)
    screen.type(b"words\r")
    screen.wait_for(b"got words")
    assert screen.finish()[0] == 0
