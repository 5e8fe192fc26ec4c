"""`windlass-runtime`: a container from `create` to `delete`, in the states and words that engines know."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.oci_runtime import OciRuntime, write_bundle

pytestmark = pytest.mark.root

_PATIENCE_S = 20


def state(runtime: OciRuntime, name: str = "c") -> dict[str, Any]:
    found = runtime("state", name)
    assert found.returncode == 0, found.stderr
    document: dict[str, Any] = json.loads(found.stdout)
    return document


def wait_for(runtime: OciRuntime, status: str, name: str = "c") -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while state(runtime, name)["status"] != status:
        assert time.monotonic() < deadline, f"never {status}"
        time.sleep(0.02)


def test_from_create_to_delete(runtime: OciRuntime, bundle: Path, tmp_path: Path) -> None:
    write_bundle(bundle, ["sleep", "1000"], annotations={"org.example.key": "value"})
    with open(tmp_path / "output", "w") as output:
        assert runtime.write_to(output, "create", "-b", str(bundle), "--pid-file", str(tmp_path / "pid"), "c") == 0
    created = state(runtime)
    assert created["status"] == "created" and created["bundle"] == str(bundle)
    assert created["annotations"] == {"org.example.key": "value"} and created["owner"] == "root"
    pid = int((tmp_path / "pid").read_text())
    assert created["pid"] == pid
    # What engines read before they call start.
    assert f"/windlass-tests-{os.getpid()}-c" in Path(f"/proc/{pid}/cgroup").read_text()
    assert runtime("start", "c").returncode == 0
    assert Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x001000\0"
    assert state(runtime)["status"] == "running"
    assert runtime("start", "c").stderr == "cannot start an already running container\n"
    refused = runtime("delete", "c")
    assert (refused.returncode, refused.stderr) == (
        1,
        "cannot delete container c that is not stopped: running\n",
    )
    assert runtime("kill", "c", "KILL").returncode == 0
    wait_for(runtime, "stopped")
    assert state(runtime)["pid"] == 0
    assert runtime("start", "c").stderr == "cannot start a container that has stopped\n"
    assert runtime("kill", "c").stderr == "container not running\n"
    assert runtime("delete", "c").returncode == 0
    assert runtime("state", "c").stderr == "container does not exist\n"
    assert os.listdir(runtime.root) == []


def test_run_returns_the_exit_code_and_leaves_nothing(runtime: OciRuntime, bundle: Path) -> None:
    write_bundle(bundle, ["sh", "-c", "echo $$; exit 7"])
    for _ in range(2):
        done = runtime.run(bundle)
        assert (done.returncode, done.stdout, done.stderr) == (7, "1\n", "")
    write_bundle(bundle, ["sh", "-c", "kill -9 $$; sleep 9"], linux__namespaces=[{"type": "mount"}])
    assert runtime.run(bundle).returncode == 128 + 9
    assert os.listdir(runtime.root) == []


def test_run_detached_and_kept(runtime: OciRuntime, bundle: Path, tmp_path: Path) -> None:
    write_bundle(bundle, ["sh", "-c", "cat; echo end"])
    with open(tmp_path / "output", "w+") as output:
        assert runtime.write_to(output, "run", "-d", "-b", str(bundle), "c") == 0
        wait_for(runtime, "stopped")
        output.seek(0)
        assert output.read() == "end\n"
    assert runtime("delete", "c").returncode == 0
    assert runtime("run", "--keep", "-b", str(bundle), "c").returncode == 0
    assert state(runtime)["status"] == "stopped"
    assert runtime("delete", "c").returncode == 0


def test_signals_go_to_the_first_process_or_to_all(runtime: OciRuntime, bundle: Path, tmp_path: Path) -> None:
    write_bundle(bundle, ["sh", "-c", "trap 'exit 3' USR1; sleep 1000 & wait"])
    process = subprocess.Popen(runtime.command("run", "-b", str(bundle), "--pid-file", str(tmp_path / "pid"), "c"))
    while not (tmp_path / "pid").exists() or len(json.loads(runtime("ps", "-f", "json", "c").stdout or "[]")) < 2:
        time.sleep(0.02)
    assert runtime("kill", "c", "NOPE").stderr == 'unknown signal "NOPE"\n'
    # To the runtime, which passes it on.
    os.kill(process.pid, 10)
    assert process.wait(_PATIENCE_S) == 3
    write_bundle(bundle, ["sh", "-c", "sleep 1000"], linux__namespaces=[{"type": "mount"}])
    runtime.leave("run", "-d", "-b", str(bundle), "c")
    assert runtime("kill", "--all", "c", "SIGKILL").returncode == 0
    wait_for(runtime, "stopped")
    assert runtime("kill", "--all", "c", "9").returncode == 0
    assert runtime("delete", "c").returncode == 0


def test_ids_are_claimed_and_clean(runtime: OciRuntime, bundle: Path) -> None:
    write_bundle(bundle, ["sleep", "1000"])
    runtime.leave("create", "-b", str(bundle), "c")
    taken = runtime("create", "-b", str(bundle), "c")
    assert (taken.returncode, taken.stderr) == (1, "container with given ID already exists\n")
    for name in ("", "a/b", "..", "a b", "x" * 2000):
        assert "invalid container id format" in runtime.run(bundle, name).stderr
    assert runtime("delete", "--force", "c").returncode == 0
    assert runtime("delete", "--force", "c").returncode == 0
    assert runtime("delete", "c").stderr == "container does not exist\n"


def test_a_failed_create_leaves_nothing(runtime: OciRuntime, bundle: Path) -> None:
    for args, words in ((["nope"], '"nope": executable file not found in $PATH'), (["/bin"], '"/bin": is a directory')):
        write_bundle(bundle, args)
        refused = runtime("create", "-b", str(bundle), "c")
        assert refused.returncode == 1
        assert refused.stderr == f"unable to start container process: exec: {words}\n"
        assert os.listdir(runtime.root) == []
    write_bundle(bundle, ["true"], mounts=[{"destination": "/x", "type": "nofs", "source": "nofs"}])
    assert "mount nofs at /x" in runtime.run(bundle).stderr
    assert os.listdir(runtime.root) == []


def test_a_group_that_others_use_is_refused(runtime: OciRuntime, bundle: Path, tmp_path: Path) -> None:
    write_bundle(bundle, ["sleep", "1000"])
    runtime.leave("create", "-b", str(bundle), "c")
    refused = runtime("create", "-b", str(bundle), "other")
    assert refused.stderr == "container's cgroup is not empty: 1 process(es) found\n"
    assert state(runtime)["status"] == "created"
    assert runtime("delete", "-f", "c").returncode == 0


def test_lists_and_processes(runtime: OciRuntime, bundle: Path) -> None:
    assert runtime("list").stdout.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    write_bundle(bundle, ["sleep", "1000"])
    runtime.leave("run", "-d", "-b", str(bundle), "c")
    pid = state(runtime)["pid"]
    assert runtime("list", "-q").stdout == "c\n"
    (listed,) = json.loads(runtime("list", "--format", "json").stdout)
    assert (listed["id"], listed["pid"], listed["status"]) == ("c", pid, "running")
    assert runtime("list").stdout.splitlines()[1].split()[:3] == ["c", str(pid), "running"]
    assert json.loads(runtime("ps", "-f", "json", "c").stdout) == [pid]
    titles, process = runtime("ps", "c").stdout.splitlines()
    assert "PID" in titles and process.endswith("sleep 1000")
    assert runtime("delete", "-f", "c").returncode == 0


def test_descriptors_are_preserved_and_others_are_not(runtime: OciRuntime, bundle: Path, tmp_path: Path) -> None:
    write_bundle(bundle, ["sh", "-c", "cat <&3; cat <&4; ls /proc/self/fd"])
    paths = [tmp_path / "one", tmp_path / "two", tmp_path / "three"]
    for path in paths:
        path.write_text(path.name + "\n")
    script = f'exec 3<{paths[0]} 4<{paths[1]} 5<{paths[2]}; exec "$@"'
    command = runtime.command("run", "--preserve-fds", "2", "-b", str(bundle), "c")
    done = subprocess.run(["sh", "-c", script, "sh", *command], capture_output=True, text=True, timeout=_PATIENCE_S)
    assert done.stdout.split() == ["one", "two", "0", "1", "2", "3", "4", "5"]  # 5 is that of ls itself
    refused = runtime("run", "--preserve-fds", "9", "-b", str(bundle), "c")
    assert "please check that preserved-fd is actually open" in refused.stderr


def test_errors_are_in_the_log_as_engines_read_them(runtime: OciRuntime, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert runtime("--log", str(log), "--log-format", "json", "state", "c").stderr == "container does not exist\n"
    line = json.loads(log.read_text())
    assert (line["level"], line["msg"]) == ("error", "container does not exist") and line["time"].endswith("Z")
    runtime("--log", str(log), "state", "c")
    assert 'level=error msg="container does not exist"' in log.read_text().splitlines()[1]
    assert runtime("--log-format", "xml", "list").stderr == "invalid log-format: xml\n"


def test_the_command_line_says_what_it_can(runtime: OciRuntime, bundle: Path) -> None:
    assert runtime("--version").stdout.startswith("windlass-runtime version ")
    assert "create" in runtime("--help").stdout
    assert "--console-socket" in runtime("create", "--help").stdout
    assert 'unknown command "nope"' in runtime("nope").stderr
    assert runtime("create").stderr == 'runc: "create" requires exactly 1 argument\n'
    assert runtime("state", "--nope", "c").stderr == "flag provided but not defined: -nope\n"
    assert "checkpoint is not supported" in runtime("checkpoint", "c").stderr
    assert runtime("spec", "--bundle", str(bundle)).returncode == 0
    assert "exists; remove it first" in runtime("spec", "-b", str(bundle)).stderr
    done = runtime.run(bundle)
    assert (done.returncode, "cannot allocate tty" in done.stderr) == (0, False)
    assert json.loads(runtime("features").stdout)["linux"]["namespaces"]


@pytest.mark.parametrize("option", [[], ["--no-subreaper"]])
def test_orphans_of_shared_processes(runtime: OciRuntime, bundle: Path, option: list[str]) -> None:
    """They are reaped while we wait, or are not ours."""
    script = "for i in 1 2 3; do (sleep 0.05 &); done; sleep 0.3; exit 5"
    write_bundle(bundle, ["sh", "-c", script], linux__namespaces=[{"type": "mount"}])
    assert runtime("run", *option, "-b", str(bundle), "c").returncode == 5


def test_a_container_that_others_delete_while_we_wait(runtime: OciRuntime, bundle: Path) -> None:
    write_bundle(bundle, ["sleep", "1000"])
    process = subprocess.Popen(runtime.command("run", "-b", str(bundle), "c"), stderr=subprocess.PIPE)
    while runtime("state", "c").returncode or state(runtime)["status"] != "running":
        time.sleep(0.02)
    assert runtime("delete", "--force", "c").returncode == 0
    assert process.communicate(timeout=_PATIENCE_S) == (None, b"") and process.returncode == 128 + 9
