"""Hooks of all six kinds, the seccomp agent, network devices: what the runtime does beside the container."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.support.oci_runtime import OciRuntime, write_bundle

pytestmark = pytest.mark.root

KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
# One line: the moment, whether the host's file is seen, the namespaces, and the state that was on standard input.
_SCRIPT = (
    'echo "$(cat) $0 $(test -e {there} && echo host) $(readlink /proc/self/ns/net)" | tr -d "\\n" >> {log};'
    "echo >> {log}"
)


def hooks(log: Path, inside: Path, **more: str) -> dict[str, Any]:
    """One hook of each kind, which writes to a file that it can reach; `more` are other scripts by kind."""
    made = {}
    for kind in KINDS:
        path = f"/log/{inside.name}" if kind == "startContainer" else str(log)
        script = more.get(kind) or _SCRIPT.format(log=path, there=log)
        made[kind] = [{"path": "/bin/sh", "args": ["sh", "-c", script, kind], "env": ["PATH=/bin:/usr/bin"]}]
    return made


def test_each_kind_at_its_moment_with_its_state(runtime: OciRuntime, bundle: Path, tmp_path: Path) -> None:
    log = tmp_path / "log" / "hooks"
    log.parent.mkdir()
    # There from the start: whether a hook's own redirection comes before its look is the shell's to choose.
    log.touch()
    share = {"destination": "/log", "type": "bind", "source": str(log.parent), "options": ["bind"]}
    write_bundle(bundle, ["sh", "-c", "echo program >> /log/hooks"], hooks=hooks(log, log), mounts=[share])
    runtime.leave("create", "-b", str(bundle), "c")
    pid = json.loads(runtime("state", "c").stdout)["pid"]
    assert [line.split()[-3 if " host " in line else -2] for line in log.read_text().splitlines()] == list(KINDS[:3])
    runtime.start("c")
    assert runtime("delete", "c").returncode == 0
    lines = log.read_text().splitlines()
    found = [line.rpartition("}")[2].split() for line in lines if line != "program"]
    assert [words[0] for words in found] == list(KINDS)
    assert lines.index("program") in (4, 5)  # after startContainer; poststart may come before its output
    states = [json.loads(line.rpartition("}")[0] + "}") for line in lines if line != "program"]
    wanted = ["creating", "creating", "creating", "created", "running", "stopped"]
    assert [state["status"] for state in states] == wanted
    assert [state["pid"] for state in states] == [pid, pid, states[2]["pid"], 1, pid, 0]
    assert all(state["id"] == "c" and state["bundle"] == str(bundle) for state in states)
    here = os.readlink("/proc/self/ns/net")
    assert [words[-1] == here for words in found] == [True, True, False, False, True, True]
    assert [len(words) == 3 for words in found] == [True, True, True, False, True, True]


@pytest.mark.parametrize("kind", KINDS)
def test_failures_end_the_start_or_are_logged(runtime: OciRuntime, bundle: Path, tmp_path: Path, kind: str) -> None:
    log = tmp_path / "runtime.log"
    script = "echo what went wrong >&2; exit 3"
    hook = {"path": shutil.which("sh") if kind != "startContainer" else "/bin/sh", "args": ["sh", "-c", script]}
    write_bundle(bundle, ["true"], hooks={kind: [hook]})
    done = runtime("--log", str(log), "run", "-b", str(bundle), "c")
    if kind.startswith("post"):
        assert (done.returncode, done.stderr) == (0, "")
        said = log.read_text()
    else:
        assert done.returncode == 1
        said = done.stderr
    assert f"error running {kind} hook #0" in said
    assert "exit status 3" in said and "what went wrong" in said
    assert os.listdir(runtime.root) == []


def test_a_hook_that_takes_too_long(runtime: OciRuntime, bundle: Path) -> None:
    hook = {"path": shutil.which("sleep"), "args": ["sleep", "100"], "timeout": 1}
    write_bundle(bundle, ["true"], hooks={"createRuntime": [hook]})
    assert "ran longer than 1 s" in runtime.run(bundle).stderr


@pytest.mark.parametrize("verb", ["run", "create"])
@pytest.mark.parametrize("strict", [False, True])
def test_the_listener_goes_to_the_agent(
    runtime: OciRuntime, bundle: Path, tmp_path: Path, verb: str, strict: bool
) -> None:
    path = str(tmp_path / "agent")
    seccomp = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "listenerPath": path,
        "listenerMetadata": "words for the agent",
        "syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_NOTIFY"}],
    }
    write_bundle(bundle, ["sleep", "1000"], linux__seccomp=seccomp, process__noNewPrivileges=strict)
    got: list[Any] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                got.extend(socket.recv_fds(connection, 65536, 4)[:2])

        agent = threading.Thread(target=serve)
        agent.start()
        runtime.leave(verb, *(["-d"] if verb == "run" else []), "-b", str(bundle), "c")
        agent.join(20)
    document, fds = json.loads(got[0]), got[1]
    assert os.readlink(f"/proc/self/fd/{fds[0]}") == "anon_inode:seccomp notify"
    os.close(fds[0])
    if verb == "create":
        assert runtime("start", "c").returncode == 0
    assert document["fds"] == ["seccompFd"] and document["metadata"] == "words for the agent"
    assert document["state"]["id"] == "c"
    assert document["pid"] == json.loads(runtime("state", "c").stdout)["pid"]
    assert runtime("delete", "-f", "c").returncode == 0


@pytest.mark.net
def test_network_devices_move_in_under_their_new_names(runtime: OciRuntime, bundle: Path) -> None:
    if shutil.which("ip") is None:
        pytest.skip("ip is not installed (Debian: package iproute2)")
    name = f"wlt{os.getpid() % 100_000}"
    subprocess.run(["ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}p"], check=True)
    try:
        subprocess.run(["ip", "address", "add", "192.0.2.7/24", "dev", name], check=True)
        script = "cat /sys/class/net/*/address | wc -l; ip -4 address show dev eth7; cat /proc/net/dev"
        write_bundle(bundle, ["sh", "-c", script], linux__netDevices={name: {"name": "eth7"}})
        found = runtime.run(bundle).stdout
        assert "192.0.2.7/24" in found and "UP" in found and name not in found
        write_bundle(bundle, ["true"], linux__netDevices={"nobody-has-it": {}})
        assert "move network device nobody-has-it: no such device" in runtime.run(bundle).stderr
    finally:
        subprocess.run(["ip", "link", "delete", f"{name}p"], stderr=subprocess.DEVNULL, check=False)
