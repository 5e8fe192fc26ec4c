"""`--userns-remap`, from inside the containers and from the host."""

from __future__ import annotations

import json
import os
import platform
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.remap import COUNT, FIRST, RemappedDaemon, privileged_files_tar, user_namespace

pytestmark = pytest.mark.root

_SLEEP = ("busybox", "sleep", "600")


@pytest.fixture(scope="module")
def remapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemappedDaemon]:
    """A remapping engine with an image of privileged programs and a container `box` that waits."""
    directory = tmp_path_factory.mktemp("remap")
    daemon = RemappedDaemon(directory, number=8)
    daemon.start()
    try:
        daemon.docker("import", str(privileged_files_tar(directory)), "busybox")
        daemon.docker("run", "-d", "--name", "box", *_SLEEP)
        yield daemon
    finally:
        daemon.destroy()


def test_the_engine_says_so(remapped: RemappedDaemon) -> None:
    info = json.loads(remapped.docker("info", "--format", "{{json .}}").stdout)
    assert "name=userns" in info["SecurityOptions"]


def test_root_inside_is_nobody_special_outside(remapped: RemappedDaemon) -> None:
    pid = remapped.pid("box")
    assert remapped.sh("box", "id -u; cat /proc/self/uid_map /proc/self/gid_map /proc/1/setgroups").split() == [
        "0", *["0", str(FIRST), str(COUNT)] * 2, "allow",
    ]  # fmt: skip
    status = Path(f"/proc/{pid}/status").read_text()
    assert re.findall(r"^[UG]id:\t(\d+)", status, re.M) == [str(FIRST)] * 2
    owner = os.stat(f"/proc/{pid}")
    assert (owner.st_uid, owner.st_gid) in ((FIRST, FIRST), (0, 0)), "the host's root while it is not dumpable"
    assert user_namespace(pid) != user_namespace(os.getpid())


def test_every_container_has_its_own(remapped: RemappedDaemon) -> None:
    remapped.docker("run", "-d", "--name", "other", "--network", "none", *_SLEEP)
    try:
        spaces = {user_namespace(remapped.pid(name)) for name in ("box", "other")}
        assert len(spaces) == 2
        ping = "ls /sys/class/net; ping -c1 -W1 127.0.0.1 | grep -c '1 packets received'"
        assert remapped.sh("other", ping) == "lo\n1\n"
    finally:
        remapped.docker("rm", "-f", "other")


def test_the_disk_has_the_container_s_ids(remapped: RemappedDaemon) -> None:
    script = (
        "mkdir /d; echo a > /d/root; echo b > /d/bob; busybox chown 1000:1000 /d/bob; busybox chown -h 65535:65535 /d;"
        " ln -s x /d/link; mknod /d/pipe p; stat -c '%u:%g' /d/root /d/bob /d; chown 0:99999 /d/bob 2>&1"
    )
    assert remapped.sh("box", script).split()[:3] == ["0:0", "1000:1000", "65535:65535"]
    found = remapped.docker("inspect", "--format", "{{.Id}}", "box").stdout.strip()
    upper = remapped.data_root / "containers" / found / "upper"
    owners = {path.name: (path.lstat().st_uid, path.lstat().st_gid) for path in [*upper.glob("d/*"), upper / "d"]}
    assert owners == {
        "root": (0, 0),
        "bob": (1000, 1000),
        "link": (0, 0),
        "pipe": (0, 0),
        "d": (65535, 65535),
    }


def test_the_image_is_not_copied(remapped: RemappedDaemon) -> None:
    layers = list((remapped.data_root / "layers").glob("*/d"))
    assert len([layer for layer in layers if (layer / "bin/busybox").exists()]) == 1
    assert all((layer / "bin/busybox").stat().st_uid == 0 for layer in layers if (layer / "bin/busybox").exists())


def test_the_kernel_s_file_systems_are_the_container_s(remapped: RemappedDaemon) -> None:
    script = """
    for f in null zero full random urandom tty; do [ -c /dev/$f ] || echo no $f; done
    echo x > /dev/null && head -c1 /dev/zero > /dev/shm/x && stat -c %u /dev/shm/x
    stat -c '%u %a' /dev /dev/shm /dev/mqueue
    [ -d /sys/class/net/eth0 ] && echo sysfs
    cat /proc/sys/net/ipv4/ping_group_range
    echo 1 > /proc/sys/kernel/panic || true
    """
    output = remapped.sh("box", script).splitlines()
    assert output[:5] == ["0", "0 755", "0 1777", "0 1777", "sysfs"]
    assert output[5].split() == ["0", str(COUNT - 1)]
    assert "Read-only file system" in output[6]


def test_streams_can_be_opened_again(remapped: RemappedDaemon) -> None:
    for user in ("root", "bob"):
        result = remapped.docker("run", "--rm", "-u", user, "busybox", "sh", "-c", "echo out > /dev/stdout; id -un")
        assert result.stdout == f"out\n{user}\n"


def test_users_and_groups(remapped: RemappedDaemon) -> None:
    result = remapped.docker("run", "--rm", "-u", "bob", "--group-add", "10", "busybox", "sh", "-c", "id -u; id -G")
    assert result.stdout == "1000\n1000 10\n"
    assert remapped.sh("box", "id -u; touch /no 2>&1", "-u", "bob").splitlines()[0] == "1000"
    beyond = remapped.docker("run", "--rm", "-u", str(COUNT), "busybox", "true", check=False)
    assert beyond.returncode == 125 and "invalid argument" in beyond.stderr.lower()


@pytest.mark.parametrize("init", [[], ["--init"]])
def test_terminals(remapped: RemappedDaemon, init: list[str]) -> None:
    script = "tty; stat -c %u /dev/console $(tty); ps -o pid,comm | head -3"
    output = remapped.docker("run", "--rm", "-t", *init, "busybox", "sh", "-c", script).stdout.replace("\r", "")
    assert output.splitlines()[:3] == ["/dev/pts/0", "0", "0"]
    assert ("init" in output) == bool(init)


def test_exec_with_a_terminal(remapped: RemappedDaemon) -> None:
    assert remapped.docker("exec", "-t", "box", "sh", "-c", "tty; stat -c %u $(tty)").stdout == "/dev/pts/0\r\n0\r\n"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="needs an x86_64 processor")
def test_set_uid_programs_become_root_of_the_container(remapped: RemappedDaemon) -> None:
    assert remapped.docker("exec", "-u", "bob", "box", "euid", check=False).returncode == 0
    assert remapped.docker("exec", "-u", "bob", "box", "stat", "-c", "%u %a", "/bin/euid").stdout == "0 4755\n"
    flags = ["-u", "bob", "--security-opt", "no-new-privileges"]
    refused = remapped.docker("run", "--rm", *flags, "busybox", "euid", check=False)
    assert refused.returncode == 1000 & 255


def test_capabilities_of_files_work_inside(remapped: RemappedDaemon) -> None:
    remapped.sh("box", "echo x > /tmp/mine")
    assert remapped.sh("box", "busybox chown 1000 /tmp/mine 2>&1", "-u", "bob").endswith("Operation not permitted\n")
    # Its shell would take its own chown.
    assert remapped.sh("box", "/bin/chown 1000 /tmp/mine && stat -c %u /tmp/mine", "-u", "bob") == "1000\n"


def test_paths_of_the_host_are_the_host_s(remapped: RemappedDaemon, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "theirs").write_text("host\n")
    (tmp_path / "secret").write_text("secret\n")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    script = (
        "exec 2>&1; stat -c '%u:%g' /b/theirs; cat /b/theirs; cat /b/secret; touch /b/new; busybox chown 0 /b/theirs;"
        " touch /b/open/made; stat -c %u /b/open/made"
    )
    output = remapped.docker("run", "--rm", "-v", f"{tmp_path}:/b", "busybox", "sh", "-c", script).stdout.splitlines()
    assert output[:2] == ["65534:65534", "host"]
    assert [line.rpartition(": ")[2] for line in output[2:5]] == [
        "Permission denied", "Permission denied", "Operation not permitted",
    ]  # fmt: skip
    assert output[5] == "0" and (tmp_path / "open/made").stat().st_uid == FIRST


def test_other_flags(remapped: RemappedDaemon) -> None:
    flags = [
        "--read-only", "--tmpfs", "/t:size=1m", "--shm-size", "2m", "--ulimit", "nofile=100:100",
        "--oom-score-adj", "100",
        "--device", "/dev/zero:/dev/mine", "--sysctl", "net.ipv4.ip_forward=1", "--sysctl", "kernel.msgmax=5000",
        "-m", "64m", "--pids-limit", "20", "--hostname", "there",
    ]  # fmt: skip
    script = """
    touch /x 2>&1; touch /t/x && stat -c %u /t/x; df -k /dev/shm | tail -1 | awk '{print $2}'; ulimit -n
    cat /proc/self/oom_score_adj; head -c 2 /dev/mine | wc -c; cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax
    cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max 2>/dev/null ||
        cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max
    hostname
    """
    output = remapped.docker("run", "--rm", *flags, "busybox", "sh", "-c", script).stdout.splitlines()
    assert output == [
        "touch: /x: Read-only file system", "0", "2048", "100", "100", "2", "1", "5000", str(64 << 20), "20", "there",
    ]  # fmt: skip


def test_networks_and_ports(remapped: RemappedDaemon) -> None:
    remapped.docker("network", "create", "mine")
    serve = "echo hello > /tmp/index.html; exec httpd -f -p 80 -h /tmp"
    try:
        flags = ["--name", "web", "--network", "mine", "-p", "127.0.0.1::80"]
        remapped.docker("run", "-d", *flags, "busybox", "sh", "-c", serve)
        address = remapped.docker("port", "web", "80").stdout.strip().rpartition(":")[2]
        assert b"hello" in _fetch(int(address))
        inspected = json.loads(remapped.docker("inspect", "web").stdout)[0]["NetworkSettings"]["Networks"]["mine"]
        fetch = f"wget -qO- http://{inspected['IPAddress']}/"
        assert remapped.docker("run", "--rm", "--network", "mine", "busybox", "sh", "-c", fetch).stdout == "hello\n"
    finally:
        remapped.docker("rm", "-f", "web", check=False)
        remapped.docker("network", "rm", "mine")


def _fetch(port: int) -> bytes:
    deadline = time.monotonic() + 10
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
                sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return b"".join(iter(lambda: sock.recv(4096), b""))
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_the_engine_s_files_can_be_written(remapped: RemappedDaemon) -> None:
    script = "cd /etc; stat -c %u hosts hostname resolv.conf; echo '192.0.2.7 there' >> hosts && tail -1 hosts"
    assert remapped.docker("run", "--rm", "busybox", "sh", "-c", script).stdout == "0\n0\n0\n192.0.2.7 there\n"


def test_stats_top_and_logs(remapped: RemappedDaemon) -> None:
    remapped.docker("run", "-d", "--name", "noisy", "busybox", "sh", "-c", "echo logged; exec sleep 600")
    try:
        assert remapped.docker("stats", "--no-stream", "--format", "{{.PIDs}}", "noisy").stdout == "1\n"
        assert "sleep 600" in remapped.docker("top", "noisy").stdout
        assert remapped.docker("logs", "noisy").stdout == "logged\n"
    finally:
        remapped.docker("rm", "-f", "noisy")


def test_privileges_are_over_the_container_only(remapped: RemappedDaemon) -> None:
    script = """
    exec 2>&1
    mkdir /mnt; mount -t tmpfs none /mnt && echo mounted
    mknod /tmp/disk b 8 0
    date -s 2001-01-01
    dmesg
    echo 0 > /proc/sys/kernel/panic
    echo -1000 > /proc/self/oom_score_adj
    chroot /proc/1/root true && echo inside
    """
    flags = ["--cap-add", "ALL", "--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined"]
    text = remapped.docker("run", "--rm", *flags, "busybox", "sh", "-c", script, check=False).stdout
    assert "mounted" in text and "inside" in text
    for refused in (
        "mknod: /tmp/disk: Operation not permitted",
        "date: can't set date: Operation not permitted",
        "dmesg: klogctl: Operation not permitted",
        "can't create /proc/sys/kernel/panic: Permission denied",
        "write error: Permission denied",
    ):
        assert refused in text, text
