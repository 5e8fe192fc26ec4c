"""What the engine's configuration says for containers that do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.isolation.conftest import CGROUPS
from tests.support.daemon import PrivateDaemon

pytestmark = pytest.mark.root

_PROFILE = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}


def _has_realtime() -> bool:
    try:
        return int(Path(f"{CGROUPS}/cpu/cpu.rt_runtime_us").read_text()) >= 100_000
    except OSError:
        return False


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory, image_tar: Path) -> Iterator[PrivateDaemon]:
    """An engine with opinions."""
    directory = tmp_path_factory.mktemp("configured")
    (directory / "profile.json").write_text(json.dumps(_PROFILE))
    daemon = PrivateDaemon(directory, number=4)
    daemon.extra = [
        "--init",
        "--no-new-privileges",
        f"--seccomp-profile={directory}/profile.json",
        "--default-shm-size=8m",
        "--default-ipc-mode=shareable",
        "--default-cgroupns-mode=private",
        "--default-ulimit=nofile=60:80",
        *(["--cpu-rt-runtime=50000"] if _has_realtime() else []),
    ]
    daemon.start()
    try:
        daemon.docker("import", str(image_tar), "busybox")
        yield daemon
    finally:
        daemon.destroy()


def _inside(daemon: PrivateDaemon, *flags: str, script: str) -> list[str]:
    return daemon.docker("run", "--rm", *flags, "busybox", "sh", "-c", script).stdout.splitlines()


def test_defaults(configured: PrivateDaemon) -> None:
    script = """
    cat /proc/1/comm; ulimit -Sn; ulimit -Hn; mkdir /x 2>/dev/null || echo filtered
    sed -n 's/NoNewPrivs:.//p' /proc/self/status; cut -d: -f3 /proc/self/cgroup | sort -u
    grep /dev/shm /proc/mounts
    """
    *lines, shm = _inside(configured, script=script)
    assert lines == ["init", "60", "80", "filtered", "1", "/"]
    assert "size=8192k" in shm


def test_a_container_s_own_words_win(configured: PrivateDaemon) -> None:
    flags = ["--init=false", "--ulimit", "nofile=70:70", "--shm-size", "9m", "--cgroupns", "host"]
    flags += ["--security-opt", "seccomp=builtin", "--security-opt", "no-new-privileges=false"]
    script = "cat /proc/1/comm; ulimit -Hn; grep -c size=9216k /proc/mounts; mkdir /x && echo made"
    lines = _inside(configured, *flags, script=script + "; sed -n 's/NoNewPrivs:.//p' /proc/self/status")
    assert lines == ["sh", "70", "1", "made", "0"]


def test_shareable_by_default(configured: PrivateDaemon) -> None:
    configured.docker("run", "-d", "--name", "aa", "busybox", "sleep", "100")
    try:
        assert _inside(configured, "--ipc", "container:aa", script="echo joined") == ["joined"]
    finally:
        configured.docker("rm", "-f", "aa")


def test_real_time(configured: PrivateDaemon) -> None:
    if not _has_realtime():
        pytest.skip("no real-time scheduling by control groups in this kernel")
    files = f"{CGROUPS}/cpu/cpu.rt_runtime_us {CGROUPS}/cpu/cpu.rt_period_us"
    flags = ["--cpu-rt-runtime", "1000", "--cpu-rt-period", "500000"]
    assert _inside(configured, *flags, script=f"cat {files}") == ["1000", "500000"]


def test_real_time_without_a_share_for_all(engine: PrivateDaemon) -> None:
    if not _has_realtime():
        pytest.skip("no real-time scheduling by control groups in this kernel")
    result = engine.docker("run", "--rm", "--cpu-rt-runtime", "1000", "busybox", "true", check=False)
    assert result.returncode == 125 and 'failed to write "1000"' in result.stderr
    assert "cpu.rt_runtime_us" in result.stderr


def test_info(configured: PrivateDaemon) -> None:
    info = json.loads(configured.docker("info", "--format", "{{json .}}").stdout)
    options = info["SecurityOptions"]
    assert f"name=seccomp,profile={configured.directory}/profile.json" in options
    assert "name=no-new-privileges" in options and "name=cgroupns" in options


def test_an_init_program_of_the_host(own_engine: PrivateDaemon, tmp_path: Path) -> None:
    """Bound at dockerd's place, above the user's program; a shell stands in for tini."""
    script = tmp_path / "init"
    script.write_text('#!/bin/sh\necho init "$@"\nshift\nexec "$@"\n')
    script.chmod(0o755)
    own_engine.stop()
    own_engine.extra = ["--init-path", str(script)]
    own_engine.start()
    shown = own_engine.docker(
        "run", "--rm", "--init", "busybox", "sh", "-c", "cat /proc/1/comm; ls -l /sbin/docker-init"
    )
    first, comm, listed = shown.stdout.splitlines()
    assert (first, comm) == ("init -- sh -c cat /proc/1/comm; ls -l /sbin/docker-init", "sh")
    assert listed.startswith("-rwxr-xr-x")
    assert own_engine.docker("info", "--format", "{{.InitBinary}}").stdout == f"{script}\n"
    own_engine.docker("run", "--rm", "busybox", "sh", "-c", "! test -e /sbin/docker-init")
