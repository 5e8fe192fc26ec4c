"""Root of a remapped container is nobody outside, and its limits hold.

CVE-2021-21284   the remapped root could reach the engine's files on the host, which the engine then chowned for it
CVE-2025-47291   containers with a user namespace were not in their control group, and so without limits
CVE-2023-25809   /sys/fs/cgroup could be written in a container with a user namespace
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.daemon import busybox_tar
from tests.support.remap import COUNT, FIRST, RemappedDaemon

pytestmark = pytest.mark.root

_REACH = """
import os, sys
directory, user = int(sys.argv[1]), int(sys.argv[2])
os.setgroups([]), os.setresgid(user, user, user), os.setresuid(user, user, user)
ways = {"read": os.O_RDONLY, "list": os.O_RDONLY | os.O_DIRECTORY, "make": os.O_CREAT | os.O_WRONLY}
for path in sys.argv[3:]:
    for way, flags in ways.items():
        try:
            os.open(f"{path}/planted" if way == "make" else path, flags, 0o4755, dir_fd=directory)
            print(way, path)
        except PermissionError:
            pass
"""
_WRITES = """
exec 2>/dev/null
cd /sys/fs/cgroup
find . -type f \\( -name cgroup.procs -o -name tasks -o -name release_agent -o -name 'memory.*' -o -name pids.max \
    -o -name devices.allow -o -name notify_on_release \\) | while read f; do (echo 0 > $f) && echo wrote $f; done
find . -maxdepth 2 -type d | while read d; do
    # What holds the hierarchies of v1 is the container's.
    [ $(stat -f -c %T $d) = tmpfs ] && continue
    mkdir $d/x && echo made $d/x
    chown 0 $d && echo owns $d
done
true
"""
_REMOUNTS = """
exec 2>/dev/null
for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mount -o remount,rw,bind $d; mount -o remount,rw $d; done
mkdir /fresh
mount -t cgroup2 none /fresh && mkdir /fresh/x && echo made v2
for c in memory pids cpu devices; do mount -t cgroup -o $c none /fresh && mkdir /fresh/x && echo made $c; done
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemappedDaemon]:
    """A remapping engine with the image `busybox`, and a container `box` with a volume."""
    directory = tmp_path_factory.mktemp("remapped")
    daemon = RemappedDaemon(directory, number=12)
    daemon.start()
    try:
        daemon.docker("import", str(busybox_tar(directory)), "busybox")
        run = ["run", "-d", "--name", "box", "-v", "vol:/v", "-m", "32m", "--pids-limit", "30"]
        daemon.docker(*run, "busybox", "sleep", "600")
        yield daemon
    finally:
        daemon.destroy()


def test_the_mapped_root_reaches_nothing_of_the_engine_s(engine: RemappedDaemon) -> None:
    # The directories above are closed by the test's own; here it is as if they were open.
    engine.directory.chmod(0o711)
    directory = os.open(engine.directory, os.O_PATH | os.O_DIRECTORY)
    roots = (engine.data_root, engine.run_root / "containers")
    paths = [str(path.relative_to(engine.directory)) for root in roots for path in _top(root)]
    try:
        assert any(path.endswith("/upper") for path in paths) and any(path.endswith("/_data") for path in paths)
        command = [sys.executable, "-I", "-c", _REACH, str(directory), str(FIRST), *paths]
        result = subprocess.run(command, pass_fds=[directory], capture_output=True, text=True, check=True)
    finally:
        os.close(directory)
    assert result.stdout == ""


def _top(root: Path) -> list[Path]:
    return [root, *(path for depth in ("*", "*/*", "*/*/*") for path in root.glob(depth))]


def test_nothing_on_the_disk_is_ever_given_to_the_mapped_ids(engine: RemappedDaemon) -> None:
    attack = (
        "mkdir -p /a; chown 1000 /a; ln -sf ../../../../../../../../etc /a/l; chown -R 5:5 /a; chown -h 0:0 /a/l;"
        f" chown {FIRST} /a 2>/dev/null && echo chowned; chown -R 7:7 /v /etc/hosts; rm -rf /v/a; cp -a /a /v"
    )
    before = os.stat("/etc")
    engine.docker("create", "--name", "attacker", "-v", "attacked:/v", "busybox", "sh", "-c", attack)
    try:
        for _ in range(2):
            assert engine.docker("start", "-a", "attacker").stdout == ""
        after = os.stat("/etc")
        assert (before.st_uid, before.st_gid, before.st_mtime) == (after.st_uid, after.st_gid, after.st_mtime)
        owners = {owner for path in engine.data_root.rglob("*") for owner in (path.lstat().st_uid, path.lstat().st_gid)}
        assert owners >= {0, 5, 7} and not owners & set(range(FIRST, FIRST + COUNT))
    finally:
        engine.docker("rm", "-fv", "attacker")
        engine.docker("volume", "rm", "attacked")


def test_processes_are_in_the_container_s_control_group(engine: RemappedDaemon) -> None:
    found = engine.docker("inspect", "--format", "{{.Id}}", "box").stdout.strip()
    lines = Path(f"/proc/{engine.pid('box')}/cgroup").read_text().split()
    groups = {line.split(":")[1]: line.split(":")[2] for line in lines}
    assert groups.get("memory", groups.get("")) == groups.get("pids", groups.get("")) == f"/{engine.cgroup}/{found}"
    hog = "dd if=/dev/zero of=/dev/shm/x bs=1M count=63; echo survived"
    killed = engine.docker("run", "--rm", "-m", "16m", "--memory-swap", "16m", "busybox", "sh", "-c", hog, check=False)
    assert "Killed" in killed.stderr or killed.returncode == 137
    assert "can't fork" in engine.sh("box", "for i in $(seq 40); do sleep 1 & done")


@pytest.mark.parametrize("mode", ["host", "private"])
@pytest.mark.parametrize("capable", [[], ["--cap-add", "ALL", "--security-opt", "seccomp=unconfined"]])
def test_control_groups_cannot_be_written(engine: RemappedDaemon, mode: str, capable: list[str]) -> None:
    script = (_REMOUNTS if capable else "") + _WRITES
    flags = ["--cgroupns", mode, *capable]
    assert engine.docker("run", "--rm", *flags, "busybox", "sh", "-c", script).stdout == ""
