"""The engine with `--exec-opt native.cgroupdriver=systemd`, beside the systemd that is process 1."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.daemon import PrivateDaemon

pytestmark = [pytest.mark.root, pytest.mark.systemd]

_SLICE = f"windlasstest{os.getpid()}.slice"
_MB = 1 << 20


@pytest.fixture(scope="module")
def systemd_engine(tmp_path_factory: pytest.TempPathFactory, image_tar: Path) -> Iterator[PrivateDaemon]:
    """An engine that has systemd make the groups; killed and started again since its container `old` runs."""
    daemon = PrivateDaemon(tmp_path_factory.mktemp("s"), number=3)
    daemon.cgroup = _SLICE
    daemon.extra = ["--exec-opt", "native.cgroupdriver=systemd"]
    daemon.start()
    try:
        daemon.docker("import", str(image_tar), "busybox")
        daemon.docker("run", "-d", "--name", "old", "-m", "64m", "busybox", "sleep", "1000")
        daemon.kill()
        daemon.start()
        yield daemon
    finally:
        daemon.destroy()
        subprocess.run(["systemctl", "stop", _SLICE], capture_output=True, check=False)


@pytest.fixture
def running(systemd_engine: PrivateDaemon) -> Iterator[str]:
    """A container that waits; its id."""
    flags = ["-m", "64m", "--memory-swap", "64m", "--cpu-shares", "512", "--cpus", "0.5", "--pids-limit", "20"]
    run = systemd_engine.docker("run", "-d", *flags, "--device", "/dev/fuse", "busybox", "sleep", "1000")
    yield run.stdout.strip()
    systemd_engine.docker("rm", "-f", run.stdout.strip())


def _properties(container: str, *names: str) -> dict[str, str]:
    show = ["systemctl", "show", f"windlass-{container}.scope", "-p", ",".join(names)]
    lines = subprocess.run(show, capture_output=True, text=True, check=True).stdout.splitlines()
    return dict(line.split("=", 1) for line in lines)


def _place(container: str, above: str = _SLICE) -> Path:
    return Path(f"/sys/fs/cgroup/{above}/windlass-{container}.scope")


def test_each_container_is_a_scope_with_its_limits(systemd_engine: PrivateDaemon, running: str) -> None:
    assert systemd_engine.docker("info", "-f", "{{.CgroupDriver}} {{.CgroupVersion}}").stdout == "systemd 2\n"
    expected = {
        "ActiveState": "active",
        "Delegate": "yes",
        "Slice": _SLICE,
        "MemoryMax": str(64 * _MB),
        "MemorySwapMax": "0",
        "CPUWeight": "59",
        "CPUQuotaPerSecUSec": "500ms",
        "TasksMax": "20",
    }
    assert _properties(running, *expected) == expected
    files = [(_place(running) / name).read_text().strip() for name in ("memory.max", "cpu.max", "pids.max")]
    assert files == [str(64 * _MB), "50000 100000", "20"]
    # Only the container is inside: whoever kept the place has gone.
    top = systemd_engine.docker("inspect", "-f", "{{.State.Pid}}", running).stdout.split()
    assert (_place(running) / "cgroup.procs").read_text().split() == top
    assert systemd_engine.docker("exec", running, "cat", "/proc/self/cgroup").stdout == "0::/\n"


def test_limits_survive_that_systemd_reads_its_units_again(systemd_engine: PrivateDaemon, running: str) -> None:
    systemd_engine.docker("update", "-m", "80m", "--memory-swap", "90m", "--pids-limit", "33", running)
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    files = [(_place(running) / name).read_text().strip() for name in ("memory.max", "memory.swap.max", "pids.max")]
    assert files == [str(80 * _MB), str(10 * _MB), "33"]
    opened = systemd_engine.docker("exec", running, "sh", "-c", "exec 3<>/dev/fuse && echo opened").stdout
    assert opened == "opened\n"
    made = "mknod /tmp/vda b 254 0; exec 3</tmp/vda"
    assert "not permitted" in systemd_engine.docker("exec", running, "sh", "-c", made, check=False).stderr


def test_pause_figures_and_end(systemd_engine: PrivateDaemon, running: str) -> None:
    systemd_engine.docker("pause", running)
    assert "frozen 1" in (_place(running) / "cgroup.events").read_text()
    systemd_engine.docker("unpause", running)
    stats = systemd_engine.docker("stats", "--no-stream", "--format", "{{.PIDs}} {{.MemUsage}}", running).stdout
    assert stats.startswith("1 ") and stats.endswith(" / 64MiB\n")
    systemd_engine.docker("kill", running)
    assert systemd_engine.docker("wait", running).stdout == "137\n"
    systemd_engine.docker("start", running)
    assert _properties(running, "ActiveState") == {"ActiveState": "active"}
    systemd_engine.docker("rm", "-f", running)
    assert not _place(running).exists()
    assert _properties(running, "LoadState") == {"LoadState": "not-found"}


def test_a_slice_of_the_users(systemd_engine: PrivateDaemon) -> None:
    parent = _SLICE.replace(".slice", "-deep.slice")
    groups = systemd_engine.docker(
        "run", "--rm", "--cgroup-parent", parent, "--cgroupns", "host", "busybox", "cat", "/proc/self/cgroup"
    ).stdout
    assert groups.startswith(f"0::/{_SLICE}/{parent}/windlass-") and groups.endswith(".scope\n")
    refused = systemd_engine.docker("run", "--rm", "--cgroup-parent", "/a/b", "busybox", "true", check=False)
    assert refused.returncode == 125
    assert 'cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"' in refused.stderr


def test_containers_outlive_the_daemon(systemd_engine: PrivateDaemon) -> None:
    old = systemd_engine.docker("inspect", "-f", "{{.Id}}", "old").stdout.strip()
    assert systemd_engine.docker("exec", "old", "echo", "still here").stdout == "still here\n"
    systemd_engine.docker("update", "-m", "70m", "--memory-swap", "70m", "old")
    assert _properties(old, "ActiveState", "MemoryMax") == {"ActiveState": "active", "MemoryMax": str(70 * _MB)}
    assert systemd_engine.docker("stats", "--no-stream", "--format", "{{.PIDs}}", "old").stdout == "1\n"
    systemd_engine.docker("rm", "-f", "old")
    assert not _place(old).exists()
