"""Roots whose links and files lie, entered by the engine and by the OCI runtime, for the first process and for more.

CVE-2019-16884, CVE-2019-19921, CVE-2023-28642, CVE-2025-31133, CVE-2025-52565, CVE-2026-41579, CVE-2025-54867 and
CVE-2025-62161 (youki), CVE-2026-88264 and CVE-2026-88265 (crun).
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.support.entries import FIRST, Entry, Refused, make_entry, mounts_below
from tests.support.launching import Bench
from tests.support.oci_runtime import PROC, OciRuntime, write_bundle

from windlass.spec.container import HostConfig

pytestmark = pytest.mark.root


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory of the host that a container must not change, with a file."""
    directory = tmp_path / "outside"
    directory.mkdir()
    (directory / "file").write_text("host")
    (directory / "file").chmod(0o640)
    return directory


def untouched(outside: Path) -> bool:
    """Whether everything is as it was."""
    status = (outside / "file").stat()
    return (
        os.listdir(outside) == ["file"]
        and (outside / "file").read_text() == "host"
        and (status.st_mode, status.st_uid) == (stat.S_IFREG | 0o640, 0)
    )


@pytest.fixture(params=FIRST)
def first(request: pytest.FixtureRequest, bench: Bench, tmp_path: Path) -> Entry:
    """Each way in for a container's first process."""
    return make_entry(request.param, bench, tmp_path)


def lie(root: Path, name: str, target: str | Path) -> None:
    """Put a link in the place of a file or directory of the root."""
    path = root / name
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


async def attempt(entry: Entry, *args: str, **more: Any) -> str:
    """What the process wrote; nothing if it was refused."""
    try:
        return await entry.output(list(args), **more)
    except Refused:
        return ""


async def test_proc_that_is_a_link_is_refused(first: Entry) -> None:
    """CVE-2019-19921, CVE-2023-28642: who believes in /proc must not be shown the image's."""
    (first.root / "fake/self/attr").mkdir(parents=True)
    (first.root / "fake/self/attr/exec").touch()
    for target in ("/tmp", "/fake", "/"):
        lie(first.root, "proc", target)
        with pytest.raises(Refused):
            await first.output(["true"])
    assert (first.root / "fake/self/attr/exec").read_text() == ""


async def test_dev_that_is_a_link_reaches_nothing_of_the_host(first: Entry, outside: Path) -> None:
    """CVE-2026-41579."""
    lie(first.root, "dev", outside)
    await attempt(first, "true")
    assert untouched(outside)


async def test_root_without_a_dev_of_its_own(bench: Bench, tmp_path: Path, outside: Path) -> None:
    """CVE-2026-88264, CVE-2026-88265, CVE-2025-31133: the image's own /dev, whose files are links to the host's."""
    entry = make_entry("oci run", bench, tmp_path)
    (entry.root / "secret").write_text("masked")
    changes: dict[str, Any] = {"only_mounts": [PROC], "linux__maskedPaths": ["/secret", "/proc/uptime"]}
    for name in ("null", "zero", "console", "ptmx", "fd", "pts"):
        shutil.rmtree(entry.root / "dev")
        lie(entry.root, f"dev/{name}", outside / "file" if name != "pts" else outside)
        output = await attempt(entry, "sh", "-c", "cat /secret /proc/uptime; ls -l /dev/null; echo end", oci=changes)
        assert output == "" if name == "pts" else output.endswith("end\n")
        assert "masked" not in output and "->" not in output
        assert untouched(outside)


def test_console_that_is_a_link(bench: Bench, tmp_path: Path, outside: Path) -> None:
    """CVE-2025-52565, CVE-2026-88264: the terminal is bound over what is the container's, or not at all."""
    entry = make_entry("oci create", bench, tmp_path)
    runtime = OciRuntime(tmp_path)
    bundle = tmp_path / "bundle"
    devpts = {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance"]}
    write_bundle(bundle, ["true"], root={"path": str(entry.root)}, only_mounts=[PROC, devpts], process__terminal=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "console"))
        listener.listen()
        create = ("create", "--bundle", str(bundle), "--console-socket", str(tmp_path / "console"), "c")
        for target in (outside / "file", "/proc/sysrq-trigger", "pts/0"):
            lie(entry.root, "dev/console", target)
            try:
                result = runtime(*create)
                assert result.returncode != 0 and "terminal" in result.stderr
                assert untouched(outside)
            finally:
                runtime("delete", "--force", "c")
        (entry.root / "dev/console").unlink()
        with open(tmp_path / "output", "w") as file:
            assert runtime.write_to(file, *create) == 0
        runtime("delete", "--force", "c")


async def test_files_of_the_engine_over_links(bench: Bench, tmp_path: Path, outside: Path) -> None:
    """The engine mounts resolv.conf, hosts and hostname; the image's are links out of it, mtab too (CVE-2024-5154)."""
    entry = make_entry("engine run", bench, tmp_path)
    for name in ("resolv.conf", "hosts", "hostname", "mtab", "new"):
        lie(entry.root, f"etc/{name}", f"../../../../../../../../{outside}/{name}")
    await attempt(entry, "true")
    assert untouched(outside)
    assert not (entry.root / "etc/mtab").exists()


async def test_mount_targets_through_links(first: Entry, tmp_path: Path, outside: Path) -> None:
    lie(first.root, "data", outside)
    lie(first.root, "deep/data", "../../../../../../../../../" + str(outside))
    source = tmp_path / "source"
    source.mkdir()
    (source / "inner").write_text("bound")
    targets = ["/data/made", "/deep/data/made", "/data/file"]
    mounts = [{"destination": target, "source": str(source), "options": ["rbind", "ro"]} for target in targets[:2]]
    host = HostConfig(binds=[f"{source}:{target}:ro" for target in targets[:2]])
    await attempt(first, "true", host=host, oci={"mounts": mounts})
    assert untouched(outside)
    one = [{"destination": targets[2], "source": str(source / "inner"), "options": ["bind"]}]
    output = await attempt(
        first, "cat", targets[2], host=HostConfig(binds=[f"{source}/inner:{targets[2]}"]), oci={"mounts": one}
    )
    assert output in ("bound", "")
    assert untouched(outside)


async def test_masks_and_read_only_paths_through_links(first: Entry, tmp_path: Path, outside: Path) -> None:
    lie(first.root, "mask", outside / "file")
    lie(first.root, "lock", outside)
    changes = {"linux__maskedPaths": ["/mask", "/lock/file"], "linux__readonlyPaths": ["/lock", "/mask"]}
    host = HostConfig(masked_paths=["/mask", "/lock/file"], readonly_paths=["/lock", "/mask"])
    before = mounts_below(tmp_path)
    await attempt(first, "true", oci=changes, host=host)
    assert untouched(outside)
    assert mounts_below(tmp_path) == before


async def test_devices_through_links(bench: Bench, tmp_path: Path, outside: Path) -> None:
    """A node is made in the container's own directory, and neither its mode nor its owner goes through a link."""
    entry = make_entry("oci run", bench, tmp_path)
    lie(entry.root, "nodes", outside)
    lie(entry.root, "node", outside / "file")
    devices = [
        {"path": path, "type": "c", "major": 1, "minor": 3, "fileMode": 0o666, "uid": 1000, "gid": 1000}
        for path in ("/nodes/made", "/node")
    ]
    for device in devices:
        await attempt(entry, "true", oci={"linux__devices": [device]})
        assert untouched(outside)


async def test_working_directory_through_links(entry: Entry, outside: Path) -> None:
    lie(entry.root, "work", f"../../../../../../{outside}")
    await attempt(entry, "true", cwd="/work")
    assert untouched(outside)
    lie(entry.root, "work", "/proc/1/root")
    (entry.root / "marker").write_text("inside")
    assert await attempt(entry, "cat", "marker", cwd="/work") in ("inside", "")


async def test_mounts_stay_where_they_are_made(first: Entry, tmp_path: Path) -> None:
    before = mounts_below(tmp_path)
    assert await first.output(["echo", "ok"]) == "ok\n"
    assert mounts_below(tmp_path) == before
