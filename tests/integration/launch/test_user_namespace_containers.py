"""Containers whose users are not the host's, seen from inside and from the host."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest
from tests.support.launching import Bench, Connection
from tests.support.planned import GIDS, make_exec, make_process, make_spec, make_task, output, remapped

from windlass.runtime.task import StartFailed
from windlass.spec.plan import BindRoot, OverlayRoot
from windlass.spec.runtime import Device, IdMapping, Mount, Process, User

pytestmark = pytest.mark.root


def _shell(script: str, **members: object) -> Process:
    return make_process("sh", "-c", script, **members)


async def test_every_namespace_belongs_to_it_and_the_disk_keeps_the_container_s_ids(bench: Bench) -> None:
    script = """
    cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
    stat -c %u:%g /bin /etc/passwd
    echo x > /new; chown 7:8 /new; stat -c %u:%g /new
    touch /bobs && chown 1000:1000 /bobs
    id -u; cat /proc/1/comm; hostname
    """
    found = await output(bench, remapped(_shell(script), hostname="inside"))
    lines = found.split("\n")
    assert [line.split() for line in lines[:3]] == [
        ["0", "100000", "1000"],
        ["1000", "300000", "60000"],
        ["0", "200000", "65536"],
    ]
    assert lines[3:10] == ["allow", "0:0", "0:0", "7:8", "0", "sh", "inside"]
    upper = bench.directory / "containers/c/upper"
    assert ((upper / "new").stat().st_uid, (upper / "new").stat().st_gid) == (7, 8)
    assert (upper / "bobs").stat().st_uid == 1000


async def test_the_host_sees_a_process_of_somebody_else(bench: Bench) -> None:
    spec = remapped(make_process("sleep", "1000", user=User(1000, 1000)), hostname="c")
    task = await bench.start(make_task(bench, spec))
    try:
        status = dict(
            line.split(":\t", 1) for line in Path(f"/proc/{task.pid}/status").read_text().splitlines() if ":\t" in line
        )
        assert status["Uid"].split() == ["300000"] * 4
        assert status["Gid"].split() == ["201000"] * 4
        assert status["NSpid"].split()[1:] == ["1"]
        assert Path(f"/proc/{task.pid}/comm").read_text() == "sleep\n"
        # A parent for life: orphans of the fork into the namespaces come to the supervisor.
        parent = Path(f"/proc/{status['PPid']}/comm").read_text()
        assert parent == "windlass-super\n"
    finally:
        await task.kill(9)
        assert (await task.wait()).exit_code == 137


async def test_exec_joins_the_user_namespace_too(bench: Bench) -> None:
    spec = remapped(make_process("sleep", "1000"), hostname="c")
    task = await bench.start(make_task(bench, spec))
    script = "cat /proc/self/uid_map | head -1; id -u; id -G; cat /proc/1/comm; echo out > /dev/stdout; touch /e"
    try:
        with Connection() as client:
            await task.exec(make_exec(spec, _shell(script, user=User(5, 6, additional_gids=[7]))), [client.attachment])
            client.handed_over()
            lines = (await client.read_all()).decode().splitlines()
        assert lines[0].split() == ["0", "100000", "1000"]
        assert lines[1:5] == ["5", "6 7", "sleep", "out"]
        with Connection() as client:
            await task.exec(make_exec(spec, make_process("tty", terminal=True)), [client.attachment])
            client.handed_over()
            assert (await client.read_all()).startswith(b"/dev/pts/")
    finally:
        await task.kill(9)
        await task.wait()


async def test_devices_are_the_host_s_and_work(bench: Bench) -> None:
    zero = Device("/dev/other-zero", "c", 1, 5)
    script = """
    for d in null zero full random urandom tty other-zero; do stat -c '%t:%T %F' /dev/$d; done
    head -c 3 /dev/other-zero | od -An -tx1; echo lost > /dev/null; echo $?
    mknod /x c 1 3 2>/dev/null || echo refused
    """
    found = (await output(bench, remapped(_shell(script), devices=[zero], masked_paths=["/proc/kcore"]))).splitlines()
    assert [line.split()[0] for line in found[:7]] == ["1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "1:5"]
    assert all("character special" in line for line in found[:7])
    assert found[7:] == [" 00 00 00", "0", "refused"]


async def test_a_device_that_the_host_has_not_is_named(bench: Bench) -> None:
    spec = remapped(make_process("true"), devices=[Device("/dev/none", "c", 250, 77)])
    with pytest.raises(StartFailed, match=r"make device /dev/none: .* host has none of c 250:77"):
        await bench.start(make_task(bench, spec))


async def test_the_terminal_and_the_streams_can_be_opened_again(bench: Bench) -> None:
    assert await output(bench, remapped(_shell("echo again > /dev/stdout"))) == "again\n"
    unmapped = [IdMapping(0, 200000, 5)]
    for gids in (GIDS, unmapped):
        spec = remapped(_shell("tty; echo x > $(tty)", terminal=True), gid_mappings=gids)
        assert (await output(bench, spec)).splitlines() == ["/dev/pts/0", "x"]


async def test_binds_with_and_without_mapped_ids(bench: Bench) -> None:
    source = bench.directory / "source"
    source.mkdir(mode=0o755)
    (source / "root").write_text("")
    os.chown(source / "root", 0, 0)
    (source / "three").write_text("")
    os.chown(source / "three", 3, 4)
    own = [IdMapping(0, 100500, 10)], [IdMapping(0, 200500, 10)]
    mounts = [
        Mount("/plain", "bind", str(source), ["bind", "ro"]),
        Mount("/mapped", "bind", str(source), ["bind", "idmap"]),
        Mount("/own", "bind", str(source), ["bind"], *own),
    ]
    script = "for d in plain mapped own; do stat -c %u:%g /$d/root /$d/three; done; touch /mapped/new; touch /plain/new"
    found = await output(bench, remapped(_shell(f"{script} 2>/dev/null || echo read-only"), mounts=mounts))
    assert found.split() == ["65534:65534", "65534:65534", "0:0", "3:4", "500:500", "503:504", "read-only"]
    assert (source / "new").stat().st_uid == 0


async def test_mapped_mounts_without_a_user_namespace(bench: Bench) -> None:
    source = bench.directory / "source"
    (source / "inner").mkdir(parents=True)
    mount = Mount("/own", "bind", str(source), ["rbind"], [IdMapping(0, 1234, 10)], [IdMapping(0, 4321, 10)])
    spec = make_spec(_shell("stat -c %u:%g /own /own/inner; chown 1235:4322 /own/inner"), mounts=[mount])
    assert await output(bench, spec) == "1234:4321\n1234:4321\n"
    assert (source / "inner").stat().st_uid == 1


async def test_a_file_system_that_cannot_map_is_named(bench: Bench) -> None:
    mount = Mount("/p", "bind", "/proc/sys", ["bind", "idmap"])
    with pytest.raises(StartFailed, match="map the ids of /proc/sys: file system proc does not support id-mapped"):
        await bench.start(make_task(bench, remapped(make_process("true"), mounts=[mount])))


async def test_mappings_that_the_kernel_refuses_are_named(bench: Bench) -> None:
    overlapping = [IdMapping(0, 100000, 10), IdMapping(5, 200000, 10)]
    with pytest.raises(StartFailed, match=r"make a user namespace: map uids 0:100000:10, 5:200000:10"):
        await bench.start(make_task(bench, remapped(make_process("true"), uid_mappings=overlapping)))


async def test_a_user_who_is_not_mapped(bench: Bench) -> None:
    with pytest.raises(StartFailed, match="invalid argument"):
        await bench.start(make_task(bench, remapped(make_process("true", user=User(99999, 0)))))


async def test_a_root_of_no_layers_mapped_and_not(bench: Bench, busybox_root: Path) -> None:
    spec = remapped(_shell("stat -c %u /bin"))
    assert await output(bench, spec, "a", root=BindRoot(str(busybox_root), idmap=True)) == "0\n"
    # As a bundle whose files were given to other ids beforehand.
    assert await output(bench, spec, "b", root=BindRoot(str(busybox_root))) == "65534\n"
    read_only = BindRoot(str(busybox_root), idmap=True, readonly=True)
    assert await output(bench, remapped(_shell("touch /x 2>/dev/null; echo $?")), "r", root=read_only) == "1\n"


async def test_namespaces_of_another_container_and_its_owner(bench: Bench) -> None:
    first = remapped(make_process("sleep", "1000"), hostname="first")
    task = await bench.start(make_task(bench, first, "first"))
    try:
        paths = {name: f"/proc/{task.pid}/ns/{name}" for name in ("user", "net", "ipc", "uts", "pid")}
        joined = [f"{'network' if name == 'net' else name}={path}" for name, path in paths.items()]
        script = "for ns in user net; do readlink /proc/self/ns/$ns; done; hostname; cat /proc/1/comm; id -u"
        spec = make_spec(_shell(script), namespaces=("mount", *joined))
        found = (await output(bench, spec, "second")).splitlines()
        assert found == [os.readlink(paths["user"]), os.readlink(paths["net"]), "first", "sleep", "0"]
    finally:
        await task.kill(9)
        await task.wait()


async def test_no_pid_namespace_and_no_proc(bench: Bench) -> None:
    spec = remapped(_shell("echo $$; readlink /proc/self/ns/pid || echo none"), namespaces=("mount", "ipc", "network"))
    without = [mount for mount in spec.mounts if mount.destination != "/proc"]
    found = (await output(bench, msgspec.structs.replace(spec, mounts=without))).splitlines()
    assert int(found[0]) > 1 and found[1] == "none"


async def test_many_layers(bench: Bench) -> None:
    base = bench.directory / "layers"
    for number in range(40):
        (base / f"layer-with-a-long-name-{number}").mkdir(parents=True)
        (base / f"layer-with-a-long-name-{number}" / f"f{number}").write_text("")
    task = make_task(bench, remapped(_shell("ls /f* | wc -l; stat -c %u /f7")))
    (root,) = (op for op in task.launch.ops if isinstance(op, OverlayRoot))
    lower = [f"{base}/layer-with-a-long-name-{number}" for number in range(40)]
    many = msgspec.structs.replace(root, base="/", lower=[path.strip("/") for path in (*lower, str(bench.lower))])
    ops = [many if op is root else op for op in task.launch.ops]
    launch = msgspec.structs.replace(task.launch, ops=ops)
    data, _ = await bench.run(msgspec.structs.replace(task, launch=launch))
    assert data == b"40\n0\n"


async def test_nothing_of_it_is_left(bench: Bench) -> None:
    before = {os.readlink(f"/proc/{pid}/ns/user") for pid in os.listdir("/proc") if _is_ours(pid)}
    for number in range(3):
        await output(bench, remapped(make_process("true")), f"c{number}")
    async with asyncio.timeout(10):
        while {os.readlink(f"/proc/{pid}/ns/user") for pid in os.listdir("/proc") if _is_ours(pid)} - before:
            await asyncio.sleep(0)
    assert not any(str(bench.directory) in line for line in Path("/proc/self/mountinfo").read_text().splitlines())


def _is_ours(pid: str) -> bool:
    try:
        return pid.isdecimal() and Path(f"/proc/{pid}/comm").read_text().startswith(("windlass", "true"))
    except OSError:
        return False
