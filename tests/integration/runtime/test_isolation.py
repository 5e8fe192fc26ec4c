"""What a default container sees, and what it may not do."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.launching import Bench
from tests.support.lowered import PARENT, host_facts, lowered

from windlass.runtime.capabilities import DEFAULT_CAPABILITIES, capability_mask
from windlass.runtime.intent import NetworkIntent
from windlass.runtime.lower_exec import ExecIntent
from windlass.runtime.mounts import MASKED_PATHS, READONLY_PATHS
from windlass.runtime.task import StartFailed
from windlass.spec.container import ContainerConfig, DeviceMapping, HostConfig

pytestmark = pytest.mark.root


def _mounts(text: str) -> dict[str, str]:
    """Mount point to options, out of /proc/mounts."""
    return {line.split()[1]: line.split()[3] for line in text.splitlines()}


async def test_default_mounts(bench: Bench) -> None:
    async with lowered(bench, ["cat", "/proc/mounts"]) as container:
        mounts = _mounts(await container.output())
    assert mounts["/proc"].startswith("rw,nosuid,nodev,noexec")
    assert mounts["/sys"].startswith("ro,nosuid,nodev,noexec")
    assert mounts["/sys/fs/cgroup"].startswith("ro,nosuid,nodev,noexec")
    assert mounts["/dev/shm"].startswith("rw,nosuid,nodev,noexec") and "size=65536k" in mounts["/dev/shm"]
    assert mounts["/dev/mqueue"].startswith("rw,nosuid,nodev,noexec")
    for path in filter(os.path.exists, READONLY_PATHS):
        assert mounts[path].startswith("ro"), path
    for path in ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", *filter(os.path.exists, MASKED_PATHS)):
        assert path in mounts, path


async def test_namespaces_are_its_own(bench: Bench) -> None:
    script = "for n in mnt net uts pid ipc; do readlink /proc/self/ns/$n; done; hostname; echo $$; ls /sys/class/net"
    async with lowered(bench, ["sh", "-c", script]) as container:
        *namespaces, hostname, pid, links = (await container.output()).splitlines()
    host = [os.readlink(f"/proc/self/ns/{kind}") for kind in ("mnt", "net", "uts", "pid", "ipc")]
    assert not set(namespaces) & set(host)
    assert (hostname, pid, links) == ("c", "1", "lo")


async def test_default_capabilities(bench: Bench) -> None:
    async with lowered(bench, ["grep", "Cap", "/proc/self/status"]) as container:
        sets = dict(line.split() for line in (await container.output()).splitlines())
    expected = capability_mask(DEFAULT_CAPABILITIES, host_facts().capabilities)
    assert [int(sets[f"Cap{kind}:"], 16) for kind in ("Prm", "Eff", "Bnd")] == [expected] * 3
    assert int(sets["CapInh:"], 16) == int(sets["CapAmb:"], 16) == 0


async def test_another_user_has_no_capabilities(bench: Bench) -> None:
    config = ContainerConfig(hostname="c", user="bob")
    async with lowered(bench, ["sh", "-c", "id -un; echo $HOME; grep CapEff /proc/self/status"], config=config) as one:
        assert (await one.output()).split() == ["bob", "/home/bob", "CapEff:", "0" * 16]


async def test_default_filter(bench: Bench) -> None:
    script = "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status; unshare -U true; mount -t tmpfs x /tmp"
    async with lowered(bench, ["sh", "-c", f"{{ {script}; }} 2>&1"]) as container:
        output = await container.output()
    assert "Seccomp:\t2" in output and "NoNewPrivs:\t0" in output
    assert output.count("Operation not permitted") + output.count("permission denied") == 2


async def test_no_new_privileges(bench: Bench) -> None:
    host = HostConfig(security_opt=["no-new-privileges"])
    async with lowered(bench, ["grep", "-E", "^(Seccomp|NoNewPrivs):", "/proc/self/status"], host=host) as container:
        assert (await container.output()).split() == ["NoNewPrivs:", "1", "Seccomp:", "2"]


async def test_unconfined(bench: Bench) -> None:
    host = HostConfig(security_opt=["seccomp=unconfined", "systempaths=unconfined"], cap_add=["SYS_ADMIN"])
    script = (
        "grep -E '^Seccomp:' /proc/self/status; mount -t tmpfs x /tmp && echo mounted; grep -c ' /proc/' /proc/mounts"
    )
    async with lowered(bench, ["sh", "-c", script], host=host) as container:
        assert (await container.output()).split() == ["Seccomp:", "0", "mounted", "0"]


async def test_privileged(bench: Bench) -> None:
    script = "grep CapEff /proc/self/status; grep -E ' /sys(/fs/cgroup)? ' /proc/mounts; ls /dev; cat /proc/self/cgroup"
    async with lowered(bench, ["sh", "-c", script], host=HostConfig(privileged=True)) as container:
        output = await container.output()
    assert f"CapEff:\t{host_facts().capabilities:016x}" in output
    assert " ro," not in output
    assert "kmsg" in output.split()


async def test_devices(bench: Bench) -> None:
    script = "ls -l /dev | awk '{print $1, $NF}'; echo x > /dev/null; mknod /tmp/kmsg c 1 11; cat /tmp/kmsg"
    async with lowered(bench, ["sh", "-c", f"{{ {script}; }} 2>&1"]) as container:
        output = await container.output()
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        assert f"crw-rw-rw- {name}" in output
    assert "/tmp/kmsg': Operation not permitted" in output or "/tmp/kmsg: Operation not permitted" in output


async def test_an_added_device_can_be_opened(bench: Bench) -> None:
    host = HostConfig(devices=[DeviceMapping("/dev/kmsg", "/dev/log0", "r")], cap_add=["SYSLOG"])
    script = "dd if=/dev/log0 of=/dev/null bs=8192 count=1 2>/dev/null && echo read; echo x > /dev/log0"
    async with lowered(bench, ["sh", "-c", f"{{ {script}; }} 2>&1"], host=host) as container:
        output = await container.output()
    assert "read" in output and "Operation not permitted" in output


async def test_read_only_root(bench: Bench) -> None:
    host = HostConfig(readonly_rootfs=True, tmpfs={"/tmp": "size=1m"})
    script = "echo x > /x; echo x > /tmp/x && df -k /tmp | tail -1 | awk '{print $2}'; echo x > /etc/hosts"
    async with lowered(bench, ["sh", "-c", f"{{ {script}; }} 2>&1"], host=host) as container:
        lines = (await container.output()).splitlines()
    assert [line for line in lines if "Read-only" not in line] == ["1024"]
    assert len(lines) == 3


async def test_working_directory_is_made(bench: Bench) -> None:
    config = ContainerConfig(hostname="c", working_dir="/a/b/c")
    async with lowered(bench, ["pwd"], config=config) as container:
        assert await container.output() == "/a/b/c\n"


async def test_host_namespaces(bench: Bench) -> None:
    host = HostConfig(pid_mode="host", ipc_mode="host", uts_mode="host")
    script = "for n in net uts pid ipc; do readlink /proc/self/ns/$n; done; grep -c ' /dev/shm ' /proc/mounts"
    config = ContainerConfig()
    async with lowered(bench, ["sh", "-c", script], config=config, host=host, network=NetworkIntent("host")) as one:
        *namespaces, shm = (await one.output()).splitlines()
    assert namespaces == [os.readlink(f"/proc/self/ns/{kind}") for kind in ("net", "uts", "pid", "ipc")]
    assert shm == "1"


async def test_ipc_none_has_no_shared_memory(bench: Bench) -> None:
    async with lowered(bench, ["ls", "/dev"], host=HostConfig(ipc_mode="none")) as container:
        assert "shm" not in (await container.output()).split()


async def test_default_sysctls(bench: Bench) -> None:
    script = "cat /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/ip_unprivileged_port_start"
    async with lowered(bench, ["sh", "-c", script]) as container:
        assert (await container.output()).split() == ["0", "2147483647", "0"]


async def test_asked_sysctls(bench: Bench) -> None:
    host = HostConfig(sysctls={"net.ipv4.ip_forward": "1", "kernel.shmmni": "17"})
    script = "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni"
    async with lowered(bench, ["sh", "-c", script], host=host) as container:
        assert (await container.output()).split() == ["1", "17"]


async def test_terminal(bench: Bench) -> None:
    config = ContainerConfig(hostname="c", tty=True)
    async with lowered(bench, ["sh", "-c", "tty; echo $TERM; ls -l /dev/console"], config=config) as container:
        output = (await container.output()).split()
    assert output[:2] == ["/dev/pts/0", "xterm"] and output[2].startswith("crw--w----")


async def test_exec_joins_everything(bench: Bench) -> None:
    config = ContainerConfig(hostname="c", env=["A=1"])
    script = "hostname; echo $A$B; pwd; id -u; grep -E '^(Seccomp|CapEff)' /proc/self/status; cat /proc/self/cgroup"
    async with lowered(bench, ["sleep", "1000"], config=config, host=HostConfig(memory=64 << 20)) as container:
        task = await container.start()
        output = await container.exec(task, ExecIntent(["sh", "-c", script], env=["B=2"], working_dir="/tmp"))
        privileged = await container.exec(task, ExecIntent(["sh", "-c", script], privileged=True))
        await task.kill(9)
        await task.wait()
    assert output.split()[:4] == ["c", "12", "/tmp", "0"]
    assert "Seccomp:\t2" in output and f"/{PARENT}/c" in output
    assert "Seccomp:\t0" in privileged and f"CapEff:\t{host_facts().capabilities:016x}" in privileged


async def test_another_user_runs_only_what_it_may(bench: Bench) -> None:
    config = ContainerConfig(hostname="c", user="bob")
    secret = bench.lower / "secret"
    secret.write_text("#!/bin/sh\necho ran\n")
    secret.chmod(0o700)
    try:
        async with lowered(bench, ["/secret"], config=config) as container:
            with pytest.raises(StartFailed) as caught:
                await container.start()
    finally:
        secret.unlink()
    assert caught.value.exit_code == 126 and "permission denied" in str(caught.value)


@pytest.fixture
def shared_mount(tmp_path: Path) -> Iterator[Path]:
    shared = tmp_path / "shared"
    shared.mkdir()
    subprocess.run(["mount", "--bind", shared, shared], check=True)
    try:
        subprocess.run(["mount", "--make-shared", shared], check=True)
        yield shared
    finally:
        subprocess.run(["umount", "-R", shared], check=True)


async def test_a_shared_volume_reaches_the_host_and_nothing_else_does(bench: Bench, shared_mount: Path) -> None:
    host = HostConfig(
        binds=[f"{shared_mount}:/shared:rshared"], cap_add=["SYS_ADMIN"], security_opt=["seccomp=unconfined"]
    )
    script = "mkdir /shared/inner && mount -t tmpfs inner /shared/inner; sleep 1000"
    async with lowered(bench, ["sh", "-c", script], host=host) as container:
        task = await container.start()
        async with asyncio.timeout(10):
            while not os.path.ismount(shared_mount / "inner"):
                await asyncio.sleep(0)
        mounted = Path("/proc/self/mountinfo").read_text()
        await task.kill(9)
        await task.wait()
    assert f"{bench.directory}/containers/c/root" not in mounted
