"""Devices, mounts and files that flags make, hide or close."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.isolation.conftest import CGROUPS, Inside, flags_id
from tests.support.daemon import PrivateDaemon

pytestmark = pytest.mark.root

_FUSE = (10, 229)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of devices: two nodes, one below another directory, and links to the first."""
    directory = tmp_path_factory.mktemp("devices")
    (directory / "below").mkdir()
    for name, minor in (("zero", 5), ("below/null", 3)):
        os.mknod(directory / name, stat.S_IFCHR | 0o640, os.makedev(1, minor))
    (directory / "link").symlink_to("zero")
    (directory / "file").write_text("no device")
    return directory


def test_device_at_another_place_for_reading(inside: Inside, nodes: Path, cgroup_version: int) -> None:
    script = "stat -c '%t:%T %a' /dev/other; head -c1 /dev/other | wc -c; echo x 2>&1 > /dev/other"
    lines = inside("--device", f"{nodes}/zero:/dev/other:r", "--device-cgroup-rule", "c 77:* rmw", script=script)
    assert lines[:2] == ["1:5 640", "1"]


def test_the_kernel_keeps_to_the_rules(engine: PrivateDaemon, inside: Inside) -> None:
    """A node alone does not open a device; the rule does, and `m` is not `r`."""
    if not os.path.exists("/dev/fuse"):
        pytest.skip("no /dev/fuse on this host")
    script = f"mknod /f c {_FUSE[0]} {_FUSE[1]} && (: < /f) 2>&1; true"
    assert "Operation not permitted" in inside(script=script)[0]
    allowed = inside("--device-cgroup-rule", f"c {_FUSE[0]}:{_FUSE[1]} rwm", script=script)
    assert not allowed
    readable = "(: < /dev/fuse) 2>&1; (: > /dev/fuse) 2>&1; true"
    assert not inside("--device", "/dev/fuse", script=readable)
    assert len(inside("--device", "/dev/fuse:/dev/fuse:m", script=readable)) == 2


def test_every_device_of_a_directory(inside: Inside, nodes: Path) -> None:
    script = "cd /dev/all; find . -type c | sort; stat -c '%t:%T' below/null"
    assert inside("--device", f"{nodes}:/dev/all", script=script) == ["./below/null", "./zero", "1:3"]


def test_a_link_leads_to_its_device(inside: Inside, nodes: Path) -> None:
    assert inside("--device", f"{nodes}/link:/dev/linked", script="stat -c '%F %t:%T' /dev/linked") == [
        "character special file 1:5"
    ]


def test_rules_are_in_the_group(inside: Inside, cgroup_version: int) -> None:
    if cgroup_version != 1:
        pytest.skip("cgroup v2 shows no list of devices")
    shown = inside(
        "--device-cgroup-rule",
        "c 42:* rmw",
        "--device-cgroup-rule",
        "b 7:3 r",
        script="cat /sys/fs/cgroup/devices/devices.list",
    )
    assert {"c 42:* rwm", "b 7:3 r"} <= set(shown) and "a *:* rwm" not in shown


def test_privileged_sees_and_opens_every_device(inside: Inside) -> None:
    script = "find /dev -type c | wc -l; : < /dev/kmsg; mount -t tmpfs x /tmp && echo mounted"
    count, mounted = inside("--privileged", script=script)
    host = sum(1 for name in os.listdir("/dev") if stat.S_ISCHR(os.lstat(f"/dev/{name}").st_mode))
    assert int(count) > host / 2 and mounted == "mounted"


@pytest.mark.parametrize(
    ("device", "text"),
    [
        ("/nope", 'error gathering device information while adding custom device "/nope": no such file or directory'),
        ("{nodes}/file", 'file": not a device node'),
    ],
)
def test_no_device(refused: Callable[..., str], nodes: Path, device: str, text: str) -> None:
    assert text in refused("--device", device.format(nodes=nodes))


def test_tmpfs(inside: Inside) -> None:
    flags = [
        "--tmpfs",
        "/t:rw,size=64k,mode=700,uid=5,exec",
        "--tmpfs",
        "/u",
        "--mount",
        "type=tmpfs,dst=/m,tmpfs-size=1m,tmpfs-mode=0750",
    ]
    script = "grep -E ' /[tum] ' /proc/mounts | cut -d' ' -f2-4 | sed s/,inode64// | sort; stat -c '%n %a %u' /t /u /m"
    assert inside(*flags, script=script) == [
        "/m tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k,mode=750",
        "/t tmpfs rw,nosuid,nodev,relatime,size=64k,mode=700,uid=5",
        "/u tmpfs rw,nosuid,nodev,noexec,relatime",
        "/t 700 5",
        "/u 1777 0",
        "/m 750 0",
    ]


def test_tmpfs_filled_from_the_image(inside: Inside) -> None:
    assert (
        inside("--tmpfs", "/etc:tmpcopyup", script="grep -c /etc /proc/mounts; grep bob /etc/passwd | cut -d: -f1")[-1]
        == "bob"
    )


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--tmpfs", "/t:bogus"], "Invalid tmpfs option"),
        (["--tmpfs", "relative"], "invalid mount path: 'relative' mount path must be absolute"),
        (["--tmpfs", "/"], "destination can't be '/'"),
    ],
)
def test_tmpfs_refused(refused: Callable[..., str], flags: list[str], text: str) -> None:
    assert text in refused(*flags)


@pytest.mark.parametrize(("flags", "kib"), [([], "65536"), (["--shm-size", "10m"], "10240")])
def test_shm_size(inside: Inside, flags: list[str], kib: str) -> None:
    script = "grep /dev/shm /proc/mounts | cut -d' ' -f3,4 | sed s/,inode64//"
    assert inside(*flags, script=script) == [f"tmpfs rw,nosuid,nodev,noexec,relatime,size={kib}k"]


def test_read_only(inside: Inside) -> None:
    script = (
        "for path in /x /etc/hosts /sys/x /dev/shm/x /dev/x /t/x; do touch $path 2>/dev/null && echo $path; done; true"
    )
    assert inside("--read-only", "--tmpfs", "/t", script=script) == ["/dev/shm/x", "/dev/x", "/t/x"]


_LOOK = """
head -c1 /proc/timer_list | wc -c; ls /sys/firmware | wc -l; touch /proc/sys/kernel/hostname 2>&1 | grep -c Read-only
true
"""


def test_system_paths(inside: Inside) -> None:
    hidden, firmware, read_only = inside(script=_LOOK)
    assert (hidden, firmware, read_only) == ("0", "0", "1")
    assert inside("--security-opt", "systempaths=unconfined", "--cap-add", "SYS_ADMIN", script=_LOOK)[2] == "0"
    assert inside("--security-opt", "systempaths=unconfined", script="grep -c ' /proc/' /proc/mounts; true") == ["0"]


def test_own_lists_of_masked_and_read_only_paths(engine: PrivateDaemon) -> None:
    """Only the API has them."""
    docker = pytest.importorskip("docker")
    client = docker.DockerClient(base_url=engine.host, timeout=30)
    try:
        config = client.api.create_host_config()
        config |= {"MaskedPaths": ["/proc/version", "/var"], "ReadonlyPaths": ["/tmp"]}
        command = ["sh", "-c", "wc -c < /proc/version; touch /var/x /tmp/x 2>&1; grep -c ' /proc/' /proc/mounts"]
        made = client.api.create_container("busybox", command, host_config=config)
        client.api.start(made)
        client.api.wait(made)
        lines = client.api.logs(made).decode().splitlines()
        client.api.remove_container(made)
    finally:
        client.close()
    assert lines == ["0", "touch: /var/x: Read-only file system", "touch: /tmp/x: Read-only file system", "1"]


@pytest.mark.parametrize(
    ("flags", "made"),
    [
        ([], False),
        (["--security-opt", "writable-cgroups=false"], False),
        (["--security-opt", "writable-cgroups=true"], True),
        (["--privileged", "--cgroupns", "private"], True),
    ],
    ids=flags_id,
)
def test_writable_cgroups(inside: Inside, cgroup_version: int, flags: list[str], made: bool) -> None:
    place = f"{CGROUPS}/pids" if cgroup_version == 1 else CGROUPS
    assert inside(*flags, script=f"mkdir {place}/own 2>/dev/null && echo made; true") == (["made"] if made else [])


def test_names_and_lookups(inside: Inside) -> None:
    flags = ["--hostname", "h1", "--domainname", "d.example", "--add-host", "a:1.2.3.4", "--add-host", "b=2.3.4.5"]
    flags += ["--dns", "9.9.9.9", "--dns-search", "x.example", "--dns-option", "ndots:3"]
    script = "hostname; cat /proc/sys/kernel/domainname /etc/hostname; echo $HOSTNAME; cat /etc/resolv.conf"
    script += r"; grep -E '[.][0-9]+\s+[ab]$' /etc/hosts"
    assert inside(*flags, script=script) == [
        "h1",
        "d.example",
        "h1",
        "h1",
        "nameserver 9.9.9.9",
        "search x.example",
        "options ndots:3",
        "1.2.3.4\ta",
        "2.3.4.5\tb",
    ]


def test_a_name_for_the_host(inside: Inside, engine: PrivateDaemon) -> None:
    gateway = engine.subnet.partition("/")[0]
    assert f"{gateway}\thost" in inside("--add-host", "host:host-gateway", script="cat /etc/hosts")
