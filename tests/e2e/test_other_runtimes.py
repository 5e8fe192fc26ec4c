"""The engine on other OCI runtimes, and on our own as one of them: every verb, seen by the stock docker CLI."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.daemon import DOCKER, PrivateDaemon

pytestmark = pytest.mark.root

_NAMES = ("runc", "crun", "windlass-runtime")
_BOOT = "import sys; sys.path[:] = {path!r}; from windlass.runtime.main import main; main()"
# What a runtime says of a host that it does not support.
_NOT_HERE = ("hybrid mode not supported",)


class Lab:
    """One engine, and the runtime that a test uses in it."""

    def __init__(self, engine: PrivateDaemon, name: str, program: str) -> None:
        self.engine = engine
        self.runtime = f"other-{name}"
        self.program = program

    def run(self, *argv: str, check: bool = True, input: str | None = None) -> subprocess.CompletedProcess[str]:
        """docker run with the runtime."""
        return self.engine.docker("run", "--runtime", self.runtime, *argv, check=check, input=input)

    def docker(self, *argv: str, check: bool = True) -> str:
        """Run the CLI and return its output."""
        return self.engine.docker(*argv, check=check).stdout

    def state(self, name: str) -> dict[str, object]:
        """A container's state."""
        return json.loads(self.docker("inspect", name))[0]["State"]  # type: ignore[no-any-return]

    def pids(self, name: str) -> tuple[int, int]:
        """Host pids of a container's process and of its supervisor."""
        identity = json.loads(self.docker("inspect", name))[0]["Id"]
        pid, supervisor = (self.engine.run_root / "containers" / identity / "pid").read_text().split()
        return int(pid), int(supervisor)

    def wait_for_attach(self, name: str) -> None:
        """Return once a client has attached to a container."""
        words = ["events", "--since", "5m", "--filter", f"container={name}", "--filter", "event=attach", "--until"]
        _until(lambda: bool(self.docker(*words, f"{time.time():.9f}")))

    def stats(self, name: str) -> dict[str, dict[str, int]]:
        """One sample of a container's figures."""
        answer = self.engine.get(f"/containers/{name}/stats?stream=false&one-shot=true")
        return json.loads(answer.partition(b"\r\n\r\n")[2])  # type: ignore[no-any-return]

    def known(self) -> list[str]:
        """Containers that the runtime has state of."""
        root = self.engine.run_root / "runtimes" / self.runtime
        return [entry.name for entry in root.iterdir()] if root.exists() else []


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The runtimes of this host; our own runs from this run's import path."""
    ours = tmp_path_factory.mktemp("program") / "windlass-runtime"
    boot = _BOOT.format(path=[entry for entry in sys.path if entry])
    ours.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S -c "{boot}" "$@"\n')
    ours.chmod(0o755)
    found = {name: shutil.which(name) for name in _NAMES[:-1]}
    return {name: program for name, program in found.items() if program} | {"windlass-runtime": str(ours)}


@pytest.fixture(scope="module")
def other_engine(
    tmp_path_factory: pytest.TempPathFactory, image_tar: Path, programs: dict[str, str]
) -> Iterator[PrivateDaemon]:
    """An engine that knows every runtime of this host."""
    engine = PrivateDaemon(tmp_path_factory.mktemp("other"), number=3)
    for name, program in programs.items():
        engine.extra += ["--add-runtime", f"other-{name}={program}"]
    engine.start()
    try:
        engine.docker("import", str(image_tar), "busybox")
        yield engine
    finally:
        engine.destroy()


@pytest.fixture(scope="module", params=_NAMES)
def lab(request: pytest.FixtureRequest, other_engine: PrivateDaemon, programs: dict[str, str]) -> Lab:
    """Each runtime that is here and supports this host."""
    name = request.param
    if name not in programs:
        pytest.skip(f"no {name} on this host")
    found = Lab(other_engine, name, programs[name])
    result = found.run("--rm", "busybox", "true", check=False)
    for reason in _NOT_HERE:
        if reason in result.stderr:
            pytest.skip(f"{name} does not support this host's cgroups: {reason}")
    assert result.returncode == 0, result.stderr
    return found


@pytest.fixture
def own_lab(lab: Lab, own_engine: PrivateDaemon) -> Lab:
    """The runtime in an engine that a test may hurt."""
    own_engine.stop()
    own_engine.extra += ["--add-runtime", f"{lab.runtime}={lab.program}"]
    own_engine.start()
    return Lab(own_engine, lab.runtime.removeprefix("other-"), lab.program)


@pytest.fixture(scope="module")
def web(lab: Lab) -> Iterator[str]:
    """A container that serves files, for tests that do not harm it."""
    serve = "mkdir /www; echo hello > /www/index.html; echo up; echo err >&2; exec httpd -f -p 80 -h /www"
    name = f"web-{lab.runtime}"
    lab.run("-d", "--name", name, "-p", "127.0.0.1:0:80", "-m", "64m", "busybox", "sh", "-c", serve)
    lab.docker("exec", name, "sh", "-c", "until wget -qO- 127.0.0.1:80; do sleep 0.02; done")
    yield name
    lab.docker("rm", "-f", name)


def test_run_prints_and_returns_the_exit_code(lab: Lab) -> None:
    result = lab.run("--rm", "-i", "busybox", "sh", "-c", "cat; echo err >&2; exit 5", check=False, input="typed\n")
    assert (result.stdout, result.stderr, result.returncode) == ("typed\n", "err\n", 5)


@pytest.mark.parametrize(
    ("argv", "code", "text"),
    [
        (["busybox", "nope"], 127, 'exec: "nope": executable file not found in $PATH'),
        (["busybox", "/etc/passwd"], 126, "permission denied"),
        (["-u", "nobody-here", "busybox", "true"], 125, "unable to find user nobody-here"),
    ],
)
def test_failures_have_docker_s_codes_and_leave_nothing(lab: Lab, argv: list[str], code: int, text: str) -> None:
    before = lab.known()
    result = lab.run("--rm", *argv, check=False)
    assert (result.returncode, text in result.stderr) == (code, True), result.stderr
    assert code == 125 or "failed to create shim task: OCI runtime create failed: " in result.stderr
    assert lab.known() == before


def test_limits_and_identity_are_those_of_our_own(lab: Lab) -> None:
    script = "id; pwd; echo $A $HOME; ulimit -n; hostname; cat /proc/sys/net/ipv4/ip_forward; touch /x; touch /t/x"
    script += "; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; cat /proc/self/cgroup | wc -l"
    flags = ["-u", "bob", "--group-add", "77", "-w", "/made/here", "-e", "A=b", "--ulimit", "nofile=99:99"]
    flags += ["--hostname", "box", "--sysctl", "net.ipv4.ip_forward=0", "--read-only", "--tmpfs", "/t:mode=1777"]
    flags += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "-m", "64m", "--pids-limit", "50"]
    theirs = lab.run("--rm", *flags, "busybox", "sh", "-c", script, check=False)
    ours = lab.engine.docker("run", "--rm", *flags, "busybox", "sh", "-c", script, check=False)
    # The hybrid tree counts for some runtimes.
    assert theirs.stdout.splitlines()[:-1] == ours.stdout.splitlines()[:-1]
    assert (theirs.stderr, theirs.returncode) == (ours.stderr, ours.returncode)


def test_terminals(lab: Lab) -> None:
    assert lab.run("--rm", "-t", "busybox", "sh", "-c", "tty; test -t 2 && echo yes").stdout == "/dev/pts/0\r\nyes\r\n"
    lab.run("-dit", "--name", "term", "busybox", "sh")
    try:
        assert lab.docker("exec", "-t", "term", "sh", "-c", "test -t 0 && stty size") != "0 0\r\n"
        command = [str(DOCKER), "-H", lab.engine.host, "attach", "--no-stdin", "term"]
        client = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert client.stdout is not None
        lab.wait_for_attach("term")
        lab.docker("exec", "term", "sh", "-c", "echo told > /proc/1/fd/1")
        assert client.stdout.read(4) == b"told"
    finally:
        lab.docker("rm", "-f", "term")
    client.wait(20)
    client.stdout.close()


def test_exec(lab: Lab, web: str) -> None:
    result = lab.engine.docker("exec", "-i", web, "sh", "-c", "cat; echo e >&2; exit 7", input="in", check=False)
    assert (result.stdout, result.stderr, result.returncode) == ("in", "e\n", 7)
    script = "id -u; pwd; echo $Q $HOME; cat /proc/self/cgroup"
    output = lab.docker("exec", "-u", "bob", "-w", "/www", "-e", "Q=1", web, "sh", "-c", script).splitlines()
    assert output[:3] == ["1000", "/www", "1 /home/bob"]
    assert output[3:] == lab.docker("exec", web, "cat", "/proc/1/cgroup").splitlines()
    for program, code in (("nope", 127), ("/etc/passwd", 126)):
        failed = lab.engine.docker("exec", web, program, check=False)
        assert failed.returncode == code and "OCI runtime exec failed: " in failed.stdout + failed.stderr
    lab.docker("exec", "-d", web, "touch", "/detached")
    _until(lambda: lab.engine.docker("exec", web, "test", "-e", "/detached", check=False).returncode == 0)


def test_logs_stats_top_ports_and_events(lab: Lab, web: str) -> None:
    logs = lab.engine.docker("logs", web)
    assert (logs.stdout, logs.stderr) == ("up\n", "err\n")
    stats = lab.stats(web)
    assert stats["pids_stats"]["current"] == 1 and stats["memory_stats"]["limit"] == 64 << 20
    assert "httpd" in lab.docker("top", web)
    address = lab.docker("port", web, "80/tcp").split()[0]
    fetched = subprocess.run(["busybox", "wget", "-qO-", f"http://{address}/"], capture_output=True, timeout=20)
    assert fetched.stdout == b"hello\n"
    assert lab.stats(web)["networks"]["eth0"]["rx_bytes"]  # type: ignore[index]


def test_pause_and_update(lab: Lab, web: str) -> None:
    lab.docker("pause", web)
    assert lab.state(web)["Status"] == "paused"
    refused = lab.engine.docker("exec", web, "true", check=False)
    assert "is paused, unpause the container before exec" in refused.stderr
    lab.docker("unpause", web)
    lab.docker("update", "-m", "96m", "--memory-swap", "192m", web)
    assert lab.stats(web)["memory_stats"]["limit"] == 96 << 20


def test_namespaces_of_other_containers(lab: Lab) -> None:
    lab.run("-d", "--name", "donor", "--ipc", "shareable", "busybox", "sh", "-c", "echo in > /dev/shm/a; sleep 1000")
    _until(lambda: lab.engine.docker("exec", "donor", "test", "-s", "/dev/shm/a", check=False).returncode == 0)
    try:
        join = ["--network", "container:donor", "--pid", "container:donor", "--ipc", "container:donor"]
        script = ["busybox", "sh", "-c", "cat /dev/shm/a; ps | grep -c 'sleep 100[0]'"]
        assert lab.run("--rm", *join, *script).stdout == "in\n1\n"
        # And one of our own joins theirs.
        assert lab.docker("run", "--rm", *join, *script) == "in\n1\n"
    finally:
        lab.docker("rm", "-f", "donor")


def test_volumes_and_networks(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("host\n")
    volume = f"v-{lab.runtime}"
    binds = ["-v", f"{volume}:/v", "-v", f"{tmp_path}:/h:ro"]
    result = lab.run("--rm", *binds, "busybox", "sh", "-c", "cp /h/file /v/; touch /h/x", check=False)
    assert "Read-only file system" in result.stderr
    assert lab.docker("run", "--rm", "-v", f"{volume}:/v", "busybox", "cat", "/v/file") == "host\n"
    lab.docker("volume", "rm", volume)
    lab.docker("network", "create", "net")
    try:
        output = lab.run("--rm", "--network", "net", "busybox", "ip", "-o", "-4", "addr", "show", "eth0").stdout
        subnet = json.loads(lab.docker("network", "inspect", "net"))[0]["IPAM"]["Config"][0]["Subnet"]
        assert output.split()[3].rpartition(".")[0] == subnet.partition("/")[0].rpartition(".")[0]
    finally:
        lab.docker("network", "rm", "net")


def test_memory_ends_are_known(lab: Lab) -> None:
    """Of the container, and of one process of it while it goes on."""
    lab.run("--name", "fat", "-m", "16m", "--memory-swap", "16m", "busybox", "tail", "/dev/zero", check=False)
    try:
        state = lab.state("fat")
        assert (state["OOMKilled"], state["ExitCode"]) == (True, 137)
    finally:
        lab.docker("rm", "fat")
    flags = ["-m", "16m", "--memory-swap", "16m"]
    lab.run("-d", "--name", "fat-child", *flags, "busybox", "sh", "-c", "tail /dev/zero; exec sleep 1000")
    try:
        _until(lambda: lab.state("fat-child")["OOMKilled"] is True)
        assert lab.state("fat-child")["Running"]
    finally:
        lab.docker("rm", "-f", "fat-child")


def test_stop_start_restart_and_policy(lab: Lab) -> None:
    lab.run("-d", "--name", "again", "busybox", "sh", "-c", "trap 'exit 3' TERM; echo up; sleep 1000 & wait")
    try:
        _until(lambda: lab.docker("logs", "again") == "up\n")
        lab.docker("stop", "again")
        assert lab.state("again")["ExitCode"] == 3
        lab.docker("start", "again")
        lab.docker("restart", "-t", "0", "again")
        lab.docker("kill", "again")
        assert lab.state("again")["ExitCode"] == 137
    finally:
        lab.docker("rm", "-f", "again")
    lab.run("-d", "--name", "twice", "--restart", "on-failure:2", "busybox", "false")
    _until(lambda: lab.state("twice")["Status"] == "exited")
    assert json.loads(lab.docker("inspect", "twice"))[0]["RestartCount"] == 2
    lab.docker("rm", "twice")
    assert [name for name in lab.known() if "again" in name or "twice" in name] == []


def test_orphans_of_the_host_s_pid_namespace_are_reaped(lab: Lab) -> None:
    script = "for i in 1 2 3; do (sleep 0.05 &); done; exec sleep 1000"
    lab.run("-d", "--name", "orphans", "--pid", "host", "busybox", "sh", "-c", script)
    try:
        pid, supervisor = lab.pids("orphans")
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children")
        _until(lambda: children.read_text().split() == [str(pid)])
    finally:
        lab.docker("rm", "-f", "orphans")


def test_containers_outlive_the_daemon(own_lab: Lab) -> None:
    lab = own_lab
    lab.run("-d", "--name", "goes-on", "busybox", "sleep", "1000")
    lab.run("-di", "--name", "stays", "busybox", "sh", "-c", "read x; echo $x; exit 6")
    before = lab.state("goes-on")
    command = [str(DOCKER), "-H", lab.engine.host, "attach", "stays"]
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert client.stdin is not None and client.stdout is not None
    lab.wait_for_attach("stays")
    lab.engine.kill()
    client.stdin.write(b"meanwhile\n")
    client.stdin.flush()
    assert client.stdout.readline() == b"meanwhile\n"
    client.stdin.close()
    client.wait(20)
    client.stdout.close()
    lab.engine.start()
    assert lab.state("stays")["ExitCode"] == 6
    lab.engine.restart()
    after = lab.state("goes-on")
    assert (after["Pid"], after["StartedAt"], after["Running"]) == (before["Pid"], before["StartedAt"], True)
    assert lab.docker("exec", "goes-on", "echo", "in") == "in\n"
    lab.docker("pause", "goes-on")
    lab.docker("rm", "-f", "goes-on")
    _until(lambda: lab.known() == [])


def test_a_container_whose_supervisor_dies_is_ended(own_lab: Lab) -> None:
    lab = own_lab
    lab.run("-d", "--name", "lost", "busybox", "sleep", "1000")
    for daemon in (True, False):
        pid, supervisor = lab.pids("lost")
        pidfd = os.pidfd_open(pid)
        if not daemon:
            lab.engine.kill()
        os.kill(supervisor, signal.SIGKILL)
        if not daemon:
            lab.engine.start()
        assert select.select([pidfd], [], [], 20)[0]
        os.close(pidfd)
        _until(lambda: lab.state("lost")["Status"] == "exited")
        assert lab.state("lost")["ExitCode"] == 137
        lab.docker("start", "lost")
        assert lab.docker("exec", "lost", "echo", "again") == "again\n"


def test_names_and_info(other_engine: PrivateDaemon, programs: dict[str, str]) -> None:
    info = json.loads(other_engine.docker("info", "--format", "{{json .}}").stdout)
    assert info["DefaultRuntime"] == "runc"
    assert info["Runtimes"]["runc"]["path"] == "windlass"
    for name, program in programs.items():
        assert info["Runtimes"][f"other-{name}"]["path"] == program
    refused = other_engine.docker("run", "--rm", "--runtime", "nope", "busybox", "true", check=False)
    assert refused.returncode == 125 and "unknown or invalid runtime name: nope" in refused.stderr
    shim = other_engine.docker("run", "--rm", "--runtime", "io.containerd.runc.v2", "busybox", "echo", "shim")
    assert shim.stdout == "shim\n"


def test_a_runtime_that_is_not_there(own_engine: PrivateDaemon) -> None:
    document = {"runtimes": {"gone": {"path": "/no/such/runtime"}}, "default-runtime": "gone"}
    own_engine.stop()
    (own_engine.directory / "daemon.json").write_text(json.dumps(document))
    own_engine.start()
    failed = own_engine.docker("run", "--name", "x1", "busybox", "true", check=False)
    assert failed.returncode == 127
    assert 'OCI runtime create failed: exec: "/no/such/runtime": stat: no such file or directory' in failed.stderr
    assert own_engine.docker("run", "--rm", "--runtime", "windlass", "busybox", "echo", "ours").stdout == "ours\n"
