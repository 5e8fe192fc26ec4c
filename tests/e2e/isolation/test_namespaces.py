"""Namespaces: of its own, the host's, another container's; and what belongs to them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest
from tests.e2e.isolation.conftest import Inside, flags_id, resident
from tests.support.daemon import PrivateDaemon

pytestmark = pytest.mark.root

_KINDS = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")


def _host(kind: str) -> str:
    return os.readlink(f"/proc/self/ns/{kind}")


@pytest.fixture(scope="module")
def donor(engine: PrivateDaemon) -> Iterator[str]:
    """A container that shares what it has."""
    yield from resident(engine, "donor", "--ipc", "shareable", "--hostname", "donor-host", "--cgroupns", "private")


@pytest.fixture(scope="module")
def keeper(engine: PrivateDaemon) -> Iterator[str]:
    """A container that keeps its IPC to itself, as by default."""
    yield from resident(engine, "keeper")


@pytest.mark.parametrize(
    ("flags", "shared"),
    [
        (["--cgroupns", "private"], {"time", "user"}),
        (["--cgroupns", "host"], {"time", "user", "cgroup"}),
        (["--cgroupns", "private", "--network", "host"], {"time", "user", "net"}),
        (["--cgroupns", "private", "--network", "none"], {"time", "user"}),
        (["--cgroupns", "private", "--ipc", "host"], {"time", "user", "ipc"}),
        (["--cgroupns", "private", "--ipc", "none"], {"time", "user"}),
        (["--cgroupns", "private", "--pid", "host"], {"time", "user", "pid"}),
        (["--cgroupns", "private", "--uts", "host"], {"time", "user", "uts"}),
        (["--cgroupns", "private", "--userns", "host"], {"time", "user"}),
    ],
    ids=flags_id,
)
def test_what_is_shared_with_the_host(inside: Inside, flags: list[str], shared: set[str]) -> None:
    lines = inside(
        *flags, script="cd /proc/self/ns; for kind in cgroup ipc mnt net pid time user uts; do readlink $kind; done"
    )
    assert {kind for kind, line in zip(_KINDS, lines, strict=True) if line == _host(kind)} == shared


def test_what_comes_with_a_namespace(inside: Inside) -> None:
    assert inside("--network", "none", script="ls /sys/class/net") == ["lo"]
    assert set(os.listdir("/sys/class/net")) <= set(inside("--network", "host", script="ls /sys/class/net"))
    assert inside("--uts", "host", script="hostname") == [os.uname().nodename]
    assert inside("--network", "host", script="hostname") == [os.uname().nodename]
    assert inside("--pid", "host", script=f"cat /proc/{os.getpid()}/comm")[0].startswith(("pytest", "python"))
    assert inside("--ipc", "none", script="ls -d /dev/shm 2>&1; true") != ["/dev/shm"]
    with open("/proc/mounts") as mounts:
        host_shm = next(line.split()[3] for line in mounts if line.split()[1] == "/dev/shm")
    assert host_shm in inside("--ipc", "host", script="grep /dev/shm /proc/mounts")[0]
    groups = inside("--cgroupns", "private", script="cut -d: -f3 /proc/self/cgroup")
    assert set(groups) == {"/"}


def _same(inside: Inside, engine: PrivateDaemon, donor: str, *kinds: str) -> None:
    flags = [word for kind in kinds for word in (f"--{kind}", f"container:{donor}")]
    names = [{"network": "net"}.get(kind, kind) for kind in kinds]
    script = f"cd /proc/self/ns; for kind in {' '.join(names)}; do readlink $kind; done"
    theirs = engine.docker("exec", donor, "sh", "-c", script).stdout.splitlines()
    assert inside(*flags, script=script) == theirs != [_host(name) for name in names]


@pytest.mark.parametrize("kinds", [("network",), ("pid",), ("ipc",), ("network", "pid", "ipc")], ids=flags_id)
def test_another_container_s(inside: Inside, engine: PrivateDaemon, donor: str, kinds: tuple[str, ...]) -> None:
    _same(inside, engine, donor, *kinds)


def test_what_comes_with_another_container_s(inside: Inside, engine: PrivateDaemon, donor: str) -> None:
    engine.docker("exec", donor, "sh", "-c", "echo shared > /dev/shm/file")
    script = "cat /dev/shm/file; hostname; cat /etc/hostname; cat /proc/1/comm"
    flags = ["--ipc", f"container:{donor}", "--network", f"container:{donor}", "--pid", f"container:{donor}"]
    assert inside(*flags, script=script) == ["shared", "donor-host", "donor-host", "sleep"]


def test_the_donor_is_meant_by_id(engine: PrivateDaemon, donor: str) -> None:
    engine.docker("create", "--name", "joiner", "--network", f"container:{donor}", "busybox", "hostname")
    try:
        mode = engine.docker("inspect", "-f", "{{.HostConfig.NetworkMode}}", "joiner").stdout.strip()
        identity = engine.docker("inspect", "-f", "{{.Id}}", donor).stdout.strip()
        assert mode == f"container:{identity}"
        engine.docker("rename", donor, "renamed")
        assert engine.docker("start", "-a", "joiner").stdout == "donor-host\n"
    finally:
        engine.docker("rename", "renamed", donor, check=False)
        engine.docker("rm", "-f", "joiner")


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--ipc", "container:keeper"], "non-shareable IPC (hint: use IpcMode:shareable for the donor container)"),
        (["--network", "container:nobody"], "No such container: nobody"),
        (["--ipc", "container:nobody"], "No such container: nobody"),
        (["--pid", "container:nobody"], "No such container: nobody"),
        (["--ipc", "odd"], "invalid IPC mode: odd"),
        (["--network", "container:donor", "-p", "80:80"], "port publishing and the container type network mode"),
        (["--network", "container:donor", "--hostname", "x"], "conflicting options: hostname and the network mode"),
        (["--network", "container:donor", "--dns", "1.1.1.1"], "conflicting options: dns and the network mode"),
        (["--uts", "host", "--hostname", "x"], "conflicting options: hostname and the UTS mode"),
        (["--hostname", "bad_name!"], "invalid hostname format: bad_name!"),
    ],
    ids=flags_id,
)
@pytest.mark.usefixtures("donor", "keeper")
def test_refused(refused: Callable[..., str], flags: list[str], text: str) -> None:
    assert text in refused(*flags)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("network", "cannot join network of a non running container: "),
        ("pid", "failed to join PID namespace: container "),
        ("ipc", "failed to join IPC namespace: container "),
    ],
)
def test_a_donor_that_does_not_run(engine: PrivateDaemon, refused: Callable[..., str], kind: str, text: str) -> None:
    engine.docker("create", "--name", "idle", "busybox", "true")
    try:
        assert text in refused(f"--{kind}", "container:idle")
    finally:
        engine.docker("rm", "idle")


def test_sysctls(inside: Inside) -> None:
    values = {
        "net.ipv4.ip_forward": "1",
        "net.core.somaxconn": "333",
        "kernel.msgmax": "10000",
        "kernel.shm_rmid_forced": "1",
        "fs.mqueue.msg_max": "20",
    }
    flags = [word for key, value in values.items() for word in ("--sysctl", f"{key}={value}")]
    paths = " ".join(f"/proc/sys/{key.replace('.', '/')}" for key in values)
    assert inside(*flags, script=f"cat {paths}") == list(values.values())
    assert inside(script="cat /proc/sys/net/ipv4/ip_unprivileged_port_start") == ["0"]


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (
            ["--network", "host", "--sysctl", "net.ipv4.ip_forward=1"],
            'sysctl "net.ipv4.ip_forward" not allowed in host network namespace',
        ),
        (
            ["--ipc", "host", "--sysctl", "kernel.msgmax=10000"],
            'sysctl "kernel.msgmax" is not allowed in the hosts ipc namespace',
        ),
        (["--sysctl", "net.no.such=1"], "open sysctl net.no.such file: no such file or directory"),
    ],
    ids=flags_id,
)
def test_sysctls_refused(refused: Callable[..., str], flags: list[str], text: str) -> None:
    assert text in refused(*flags)


# --- windlass ns, lsns, nsenter ---------------------------------------------------------------------------


def test_ns_lists_namespaces(engine: PrivateDaemon, donor: str, keeper: str) -> None:
    engine.docker(
        "run", "-d", "--name", "guest", "--ipc", f"container:{donor}", "--uts", "host", "busybox", "sleep", "99"
    )
    try:
        template = "{{.Type}} {{.Namespace}} {{.Shared}}"
        lines = engine.windlass("ns", "--format", template, "guest").stdout.splitlines()
        found = {line.split()[0]: line.split()[1:] for line in lines}
        pid = int(engine.windlass("ns", "-q", "guest").stdout)
    finally:
        engine.docker("rm", "-f", "guest")
    assert set(found) == set(_KINDS)
    assert found["ipc"][1:] == [donor] and found["uts"][1].split(",")[0] == "host"
    assert found["pid"][1:] == [] and found["mnt"][1:] == []
    assert pid > 1


def test_ns_names_what_the_kernel_has(engine: PrivateDaemon, donor: str) -> None:
    pid = engine.windlass("ns", "-q", donor).stdout.strip()
    lines = engine.windlass("ns", "--format", "{{.Type}}:[{{.Namespace}}]", donor).stdout.splitlines()
    assert sorted(lines) == sorted(os.readlink(f"/proc/{pid}/ns/{kind}") for kind in _KINDS)
    assert engine.windlass("ns", "--type", "net", "--format", "{{.Type}}", donor).stdout == "net\n"


def test_ns_lists_processes_by_both_pids(engine: PrivateDaemon, keeper: str) -> None:
    engine.docker("exec", "-d", "-u", "bob", keeper, "sleep", "77")
    found = engine.windlass("ns", "-p", "--format", "json", keeper).stdout
    rows = {row["Command"]: row for row in map(json.loads, found.splitlines())}
    assert rows["sleep 1000"]["InnerPID"] == 1 and rows["sleep 1000"]["UID"] == 0
    other = rows["sleep 77"]
    with open(f"/proc/{other['PID']}/status") as status:
        inner = next(line.split()[-1] for line in status if line.startswith("NSpid:"))
    assert (other["UID"], other["InnerPID"]) == (1000, int(inner))
    assert len(engine.windlass("ns", "-pq", keeper).stdout.split()) == 2
    engine.docker("exec", keeper, "kill", inner)


def test_ns_of_all_and_of_none(engine: PrivateDaemon, donor: str, keeper: str) -> None:
    table = engine.windlass("ns").stdout.splitlines()
    assert table[0].split()[:4] == ["CONTAINER", "ID", "NAME", "PID"]
    assert {line.split()[1] for line in table[1:]} >= {donor, keeper}
    result = engine.windlass("ns", "nobody", check=False)
    assert result.returncode == 1 and "No such container: nobody" in result.stderr


def test_nsenter_and_lsns(engine: PrivateDaemon, donor: str) -> None:
    """util-linux's programs find their way in by the pid alone."""
    if not (shutil.which("nsenter") and shutil.which("lsns")):
        pytest.skip("no nsenter and lsns on this host")
    pid = engine.windlass("ns", "-q", donor).stdout.strip()
    script = "hostname; cat /proc/1/comm; ls -d /home/bob /bin/busybox 2>/dev/null; readlink /proc/1/ns/net"
    entered = subprocess.run(
        ["nsenter", "-a", "-t", pid, "/bin/sh", "-c", script], capture_output=True, text=True, check=True
    )
    assert entered.stdout.splitlines() == ["donor-host", "sleep", "/bin/busybox", os.readlink(f"/proc/{pid}/ns/net")]
    listed = subprocess.run(["lsns", "-J", "-p", pid], capture_output=True, text=True, check=True)
    kinds = {entry["type"]: int(entry["ns"]) for entry in json.loads(listed.stdout)["namespaces"]}
    assert {f"{kind}:[{kinds[kind]}]" for kind in ("net", "mnt", "uts", "ipc", "pid")} == {
        os.readlink(f"/proc/{pid}/ns/{kind}") for kind in ("net", "mnt", "uts", "ipc", "pid")
    }
