"""Mounts of a specification, as the container sees them."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from tests.support.launching import Bench
from tests.support.planned import MOUNTS, NAMESPACES, make_process, make_spec, make_task, output

from windlass.runtime.task import StartFailed
from windlass.spec.plan import BindRoot
from windlass.spec.runtime import Capabilities, Device, Linux, Mount, Process, RuntimeSpec, User

pytestmark = pytest.mark.root

# Bound, since the plan cannot know whose the mount namespace is.
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def _shell(script: str, **members: object) -> Process:
    return make_process("sh", "-c", script, **members)


def _mountinfo(text: str) -> dict[str, list[str]]:
    """Fields by place of the topmost mount there: id, parent, device, root, place, options, optional fields."""
    return {line.split()[4]: line.split() for line in text.splitlines()}


async def _see(bench: Bench, *mounts: Mount, **linux: object) -> dict[str, list[str]]:
    spec = make_spec(make_process("cat", "/proc/self/mountinfo"), mounts=mounts, **linux)
    return _mountinfo(await output(bench, spec))


async def test_no_pivot_leaves_no_way_back(bench: Bench) -> None:
    script = """
    mount -t proc proc /mnt 2>/dev/null; ls /; cat /proc/self/mountinfo; readlink /proc/1/root
    """
    found = await output(bench, make_spec(_shell(script), readonly_paths=["/proc/sys"]), no_pivot=True)
    assert str(bench.directory) not in found.replace("upperdir=", "\n").splitlines()[0]
    places = _mountinfo("\n".join(line for line in found.splitlines() if " - " in line))
    # Nothing of the host is below: the first mount is the root.
    assert set(places) == {"/", "/proc", "/proc/sys", "/dev", "/dev/pts", "/dev/mqueue", "/sys"}


async def test_recursive_attributes_reach_the_mounts_below(bench: Bench) -> None:
    source = bench.directory / "source"
    (source / "inner").mkdir(parents=True)
    # A bind of a bind of this very process's tree: the lower one stays writable unless the whole tree is asked for.
    mounts = [
        Mount("/plain", "bind", "/sys", ["rbind", "ro", "rslave"]),
        Mount("/deep", "bind", "/sys", ["rbind", "rro", "rnoexec", "rnosuid", "nodev"]),
    ]
    found = await _see(bench, *mounts)
    below = [place for place in found if place.startswith("/deep/")]
    assert below and all({"ro", "noexec", "nosuid"} <= set(found[place][5].split(",")) for place in ["/deep", *below])
    assert "nodev" in found["/deep"][5]
    assert any("rw" in found[place][5].split(",") for place in found if place.startswith("/plain/"))


@pytest.mark.parametrize(
    ("word", "expected"), [("shared", "shared:"), ("private", ""), ("unbindable", "unbindable"), ("rslave", "")]
)
async def test_propagation_of_mounts(bench: Bench, word: str, expected: str) -> None:
    source = bench.directory / "source"
    source.mkdir()
    found = await _see(bench, Mount("/b", "bind", str(source), ["bind", word]), Mount("/t", "tmpfs", "tmpfs", [word]))
    for place in ("/b", "/t"):
        optional = found[place][6]
        assert optional.startswith(expected) if expected else optional == "-" or optional.startswith("master:"), place


@pytest.mark.parametrize(("word", "expected"), [("shared", "shared:"), ("unbindable", "unbindable"), ("private", "-")])
async def test_propagation_of_the_root(bench: Bench, word: str, expected: str) -> None:
    assert (await _see(bench, rootfs_propagation=word))["/"][6].startswith(expected)


async def test_remount(bench: Bench) -> None:
    found = await _see(
        bench, Mount("/t", "tmpfs", "tmpfs", ["size=1m"]), Mount("/t", "", "", ["remount", "ro", "noexec", "size=2m"])
    )
    assert {"ro", "noexec"} <= set(found["/t"][5].split(","))
    assert "size=2048k" in found["/t"][-1]


async def test_a_tmpfs_keeps_the_directory_s_mode_and_contents(bench: Bench) -> None:
    layer = bench.directory / "containers/c/upper"
    (layer / "data/sub").mkdir(parents=True)
    (layer / "data/sub/file").write_text("kept")
    (layer / "data").chmod(0o2750)
    os.chown(layer / "data/sub/file", 3, 4)
    spec = make_spec(
        _shell("stat -c %a /data /other; stat -c %u:%g /data/sub/file; cat /data/sub/file; ls /other | wc -l"),
        mounts=[
            Mount("/data", "tmpfs", "tmpfs", ["tmpcopyup", "rw"]),
            Mount("/other", "tmpfs", "tmpfs", ["mode=700"]),
        ],
    )
    assert (await output(bench, spec)).splitlines() == ["2750", "700", "3:4", "kept0"]


async def test_devices_by_their_mode_owner_and_kind(bench: Bench) -> None:
    devices = [
        Device("/dev/mine", "c", 1, 3, 0o640, 3, 4),
        Device("/deep/er/null", "u", 1, 3),
        Device("/dev/pipe", "p", file_mode=0o600),
        Device("/dev/disk", "b", 7, 200, 0o660),
        Device("/dev/zero", "c", 1, 3),
    ]
    names = "/dev/mine /deep/er/null /dev/pipe /dev/disk /dev/zero"
    found = await output(bench, make_spec(_shell(f"stat -c '%F %t:%T %a %u:%g' {names}"), devices=devices))
    assert found.splitlines() == [
        "character special file 1:3 640 3:4",
        "character special file 1:3 666 0:0",
        "fifo 0:0 600 0:0",
        "block special file 7:c8 660 0:0",
        "character special file 1:3 666 0:0",
    ]


async def test_what_an_image_has_in_the_place_of_a_device_gives_way(bench: Bench) -> None:
    dev = bench.directory / "containers/c/upper/dev"
    dev.mkdir(parents=True)
    (dev / "null").write_text("an imitation")
    (dev / "zero").symlink_to("/etc/passwd")
    without_dev = [mount for mount in MOUNTS if not mount.destination.startswith("/dev")]
    spec = RuntimeSpec(
        "1.2.0",
        _shell("stat -c '%F %t:%T' /dev/null /dev/zero; cat /etc/passwd | wc -l"),
        mounts=without_dev,
        linux=Linux(namespaces=make_spec(make_process("true")).linux.namespaces),
    )
    assert (await output(bench, spec)).splitlines() == ["character special file 1:3", "character special file 1:5", "2"]


async def test_a_directory_in_the_place_of_a_device(bench: Bench) -> None:
    spec = make_spec(make_process("true"), mounts=[Mount("/dev/null", "tmpfs", "tmpfs")])
    with pytest.raises(StartFailed, match="make device /dev/null: is a directory"):
        await bench.start(make_task(bench, spec))


async def test_a_control_group_namespace_is_joined(bench: Bench) -> None:
    other = make_spec(make_process("sleep", "1000"), namespaces=(*NAMESPACES, "cgroup"))
    task = await bench.start(make_task(bench, other, "other"))
    try:
        path = f"/proc/{task.pid}/ns/cgroup"
        assert os.readlink(path) != os.readlink("/proc/self/ns/cgroup")
        spec = make_spec(_shell("readlink /proc/self/ns/cgroup"), namespaces=(*NAMESPACES, f"cgroup={path}"))
        assert (await output(bench, spec)).strip() == os.readlink(path)
    finally:
        await task.kill(9)
        await task.wait()


async def test_a_mount_namespace_is_joined(bench: Bench) -> None:
    task = await bench.start(make_task(bench, make_spec(make_process("sleep", "1000"), hostname="first"), "first"))
    source = bench.directory / "source"
    source.mkdir()
    (source / "file").write_text("of the host\n")
    try:
        path = f"/proc/{task.pid}/ns"
        namespaces = [f"mount={path}/mnt", f"uts={path}/uts", f"pid={path}/pid", "ipc"]
        spec = make_spec(_shell("hostname; cat /bound/file; readlink /proc/self/ns/mnt; cat /proc/1/comm"),
                         namespaces=namespaces)  # fmt: skip
        spec = msgspec.structs.replace(spec, mounts=[Mount("/bound", "bind", str(source), ["bind", "ro"])])
        mounted = Path(f"/proc/{task.pid}/mountinfo").read_text().count("\n")
        found = await output(bench, spec, "second", root=BindRoot("/"))
        assert found.splitlines() == ["first", "of the host", os.readlink(f"{path}/mnt"), "sleep"]
        # What is mounted there is seen by all, and nothing else has changed.
        assert Path(f"/proc/{task.pid}/root/bound/file").read_text() == "of the host\n"
        assert Path(f"/proc/{task.pid}/mountinfo").read_text().count("\n") - mounted == 1 + len(_DEVICES)
    finally:
        await task.kill(9)
        await task.wait()


async def test_capabilities_of_all_five_sets(bench: Bench) -> None:
    names = ["CAP_CHOWN", "CAP_KILL"]
    capabilities = Capabilities(
        bounding=[*names, "CAP_NET_RAW"],
        effective=["CAP_CHOWN"],
        permitted=names,
        inheritable=names,
        ambient=["CAP_KILL"],
    )
    process = make_process("grep", "Cap", "/proc/self/status", capabilities=capabilities, user=User(1000, 1000))
    found = dict(line.split(":\t") for line in (await output(bench, make_spec(process))).splitlines())
    sets = {name: int(value, 16) for name, value in found.items()}
    assert sets == {"CapInh": 0x21, "CapPrm": 0x20, "CapEff": 0x20, "CapBnd": 0x2021, "CapAmb": 0x20}


async def test_preserved_descriptors_only(bench: Bench) -> None:
    # The supervisor's own descriptors lie there: with none promised, none passes.
    spec = make_spec(_shell("ls /proc/self/fd | tr '\\n' ' '"))
    assert (await output(bench, spec)).split()[:3] == ["0", "1", "2"]
    task = make_task(bench, spec)
    promised = msgspec.structs.replace(task.launch.ops[-1], preserve_fds=200)
    launch = msgspec.structs.replace(task.launch, ops=[*task.launch.ops[:-1], promised])
    with pytest.raises(StartFailed, match=r"preserved descriptor \d+ is not"):
        await bench.start(msgspec.structs.replace(task, launch=launch))


def test_nothing_of_it_is_on_the_host(bench: Bench) -> None:
    assert str(bench.directory) not in Path("/proc/self/mountinfo").read_text()
