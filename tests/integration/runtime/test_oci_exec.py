"""`windlass-runtime exec`: one more process in a container, with every option of runc's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.leaks import OUR_CGROUPS
from tests.support.oci_runtime import OciRuntime, capabilities, write_bundle

pytestmark = pytest.mark.root


@pytest.fixture
def running(runtime: OciRuntime, bundle: Path) -> Iterator[OciRuntime]:
    """A container that waits."""
    write_bundle(bundle, ["sleep", "1000"], linux__seccomp={"defaultAction": "SCMP_ACT_ALLOW", "syscalls": _NO_MKDIR})
    runtime.leave("run", "-d", "-b", str(bundle), "c")
    yield runtime
    runtime("delete", "--force", "c")


_NO_MKDIR = [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]


def test_it_is_in_the_container_and_its_code_is_ours(running: OciRuntime) -> None:
    done = running("exec", "c", "sh", "-c", "cat /proc/1/cmdline | tr '\\0' ' '; pwd; mkdir /tmp/x; exit 5")
    assert done.stdout == "sleep 1000 /\n" and "Operation not permitted" in done.stderr
    assert done.returncode == 5
    for kind in ("mnt", "pid", "ipc", "uts", "net", "cgroup"):
        first, second = (running("exec", "c", "readlink", f"/proc/{pid}/ns/{kind}").stdout for pid in ("1", "self"))
        assert first == second
        break
    inside = running("exec", "c", "cat", "/proc/self/cgroup").stdout
    assert all(f"/{OUR_CGROUPS}-{os.getpid()}-c" in line for line in inside.splitlines() if ":memory:" in line)


def test_options_change_the_process(running: OciRuntime) -> None:
    script = "pwd; echo $A$B; id -u; id -g; id -G; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status"
    options = ["--cwd", "/bin", "-e", "A=1", "--env", "B=2", "-u", "1000:1001", "-g", "7", "--cap", "CAP_NET_RAW"]
    found = running("exec", *options, "--no-new-privs", "c", "sh", "-c", script)
    lines = found.stdout.split()
    assert lines[:3] == ["/bin", "12", "1000"] and lines[3] == "1001" and {"7"} <= set(lines[4:6]), found.stderr
    assert lines[-6:] == ["CapEff:", "0000000000000000", "CapBnd:", "0000000000002003", "NoNewPrivs:", "1"]
    assert running("exec", "--cwd", "bin", "c", "true").stderr == "cwd must be an absolute path: bin\n"
    assert "not an id" in running("exec", "-u", "bob", "c", "true").stderr


def test_a_process_of_a_file(running: OciRuntime, tmp_path: Path) -> None:
    process = {
        "args": ["sh", "-c", "echo $X; id -u; cat /proc/self/oom_score_adj"],
        "env": ["PATH=/bin", "X=of the file"],
        "cwd": "/",
        "user": {"uid": 12, "gid": 13},
        "oomScoreAdj": 300,
        "execCPUAffinity": {"initial": "0", "final": "0"},
        "capabilities": capabilities(),
    }
    path = tmp_path / "process.json"
    path.write_text(json.dumps(process))
    assert running("exec", "--process", str(path), "c").stdout.split("\n") == ["of the file", "12", "300", ""]
    path.write_text(json.dumps({**process, "cwd": "relative"}))
    assert "/cwd: " in running("exec", "--process", str(path), "c").stderr


def test_detached_with_its_pid(running: OciRuntime, tmp_path: Path) -> None:
    running.leave("exec", "-d", "--pid-file", str(tmp_path / "pid"), "c", "sleep", "999")
    pid = (tmp_path / "pid").read_text()
    assert Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x00999\0"
    assert len(json.loads(running("ps", "-f", "json", "c").stdout)) == 2


def test_what_cannot_be_run(running: OciRuntime) -> None:
    words = "exec failed: unable to start container process: exec: "
    refused = running("exec", "c", "nope")
    assert (refused.returncode, refused.stderr) == (255, f'{words}"nope": executable file not found in $PATH\n')
    assert running("exec", "nobody", "true").stderr == "container does not exist\n"
    assert running("exec", "c").stderr == 'runc: "exec" requires a minimum of 2 arguments\n'
    assert "console socket" in running("exec", "-t", "-d", "c", "true").stderr
    running("pause", "c")
    assert "cannot exec in a paused container" in running("exec", "c", "true").stderr
    waiting = subprocess.Popen(running.command("exec", "--ignore-paused", "c", "sh", "-c", "exit 8"))
    assert running("resume", "c").returncode == 0
    assert waiting.wait(20) == 8
    running("kill", "c", "KILL")
    while json.loads(running("state", "c").stdout)["status"] != "stopped":
        continue
    assert running("exec", "c", "true").stderr == "cannot exec in a stopped container\n"


@pytest.mark.cgroup1
def test_a_group_below_the_container_s(running: OciRuntime) -> None:
    if not os.path.isdir("/sys/fs/cgroup/pids"):
        pytest.skip("no cgroup v1 pids controller on this host")
    group = Path(f"/sys/fs/cgroup/pids/{OUR_CGROUPS}-{os.getpid()}-c/below")
    group.mkdir()
    inside = running("exec", "--cgroup", "pids:/below", "c", "grep", ":pids:", "/proc/self/cgroup").stdout
    assert inside.strip().endswith("-c/below")
    for wrong in ("pids:/../..", "pids:/nowhere", "nope:/below"):
        assert running("exec", "--cgroup", wrong, "c", "true").returncode == 255


@pytest.mark.parametrize("kinds", [["mount", "user", "pid"], ["mount", "time", "pid", "cgroup"]])
def test_every_namespace_is_joined(runtime: OciRuntime, bundle: Path, kinds: list[str]) -> None:
    mapping = [{"containerID": 0, "hostID": 100_000, "size": 65_536}]
    maps = {"linux__uidMappings": mapping, "linux__gidMappings": mapping} if "user" in kinds else {}
    write_bundle(bundle, ["sleep", "1000"], linux__namespaces=[{"type": kind} for kind in kinds], **maps)
    runtime.leave("run", "-d", "-b", str(bundle), "c")
    script = 'for kind in mnt user pid time cgroup; do readlink "/proc/$0/ns/$kind"; done; id -u'
    first = runtime("exec", "c", "sh", "-c", script, "1")
    second = runtime("exec", "c", "sh", "-c", script, "self")
    assert first.stdout == second.stdout and first.stdout.splitlines()[-1] == "0", first.stderr + second.stderr
    assert runtime("delete", "-f", "c").returncode == 0
