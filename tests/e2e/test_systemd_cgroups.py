"""Containers in scopes of systemd: they live, are limited and end like those in groups of our own making."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.daemon import PrivateDaemon

pytestmark = [pytest.mark.root, pytest.mark.systemd]

_V2 = Path("/sys/fs/cgroup")


@pytest.fixture
def systemd_engine(tmp_path: Path, image_tar: Path) -> Iterator[PrivateDaemon]:
    """An engine that has systemd make the groups."""
    daemon = PrivateDaemon(tmp_path, number=2)
    daemon.cgroup = "windlasstest.slice"
    # What runs in the machine needs no network, and the machine has no firewall.
    daemon.extra = ["--exec-opt", "native.cgroupdriver=systemd", "--iptables=false"]
    daemon.start()
    try:
        daemon.docker("import", str(image_tar), "busybox")
        yield daemon
    finally:
        daemon.destroy()


def _unit_property(container_id: str, name: str) -> str:
    unit = f"windlass-{container_id}.scope"
    shown = subprocess.run(["systemctl", "show", "-P", name, unit], capture_output=True, text=True, check=True)
    return shown.stdout.strip()


def test_a_container_is_a_scope_with_its_limits(systemd_engine: PrivateDaemon) -> None:
    run = systemd_engine.docker("run", "-d", "--network", "none", "-m", "64m", "busybox", "sleep", "1000")
    container_id = run.stdout.strip()
    group = Path(f"/windlasstest.slice/windlass-{container_id}.scope")
    try:
        pid = int(systemd_engine.docker("inspect", "-f", "{{.State.Pid}}", container_id).stdout)
        assert Path(f"/proc/{pid}/cgroup").read_text().strip() == f"0::{group}"
        assert (_V2 / str(group).lstrip("/") / "memory.max").read_text().strip() == str(64 << 20)
        # Only the container: whoever kept the place has gone.
        assert (_V2 / str(group).lstrip("/") / "cgroup.procs").read_text().split() == [str(pid)]
        assert _unit_property(container_id, "MemoryMax") == str(64 << 20)
        systemd_engine.docker("update", "-m", "96m", "--memory-swap", "96m", container_id)
        assert _unit_property(container_id, "MemoryMax") == str(96 << 20)
        inside = systemd_engine.docker("exec", container_id, "cat", "/proc/self/cgroup").stdout.strip()
        assert inside == "0::/"
        systemd_engine.restart()
        stats = systemd_engine.docker("stats", "--no-stream", "--format", "{{json .}}", container_id).stdout
        assert json.loads(stats)["PIDs"] == "1"
    finally:
        systemd_engine.docker("rm", "-f", container_id)
    assert _unit_property(container_id, "LoadState") == "not-found"
    assert not (_V2 / str(group).lstrip("/")).exists()
    # In the same engine, for a machine takes long to start one: the parent must be a slice, and the driver is named.
    refused = systemd_engine.docker("create", "--cgroup-parent", "/some/path", "busybox", "true", check=False)
    assert refused.returncode != 0
    assert "should be a valid slice named as" in refused.stderr
    assert systemd_engine.docker("info", "-f", "{{.CgroupDriver}}").stdout.strip() == "systemd"
