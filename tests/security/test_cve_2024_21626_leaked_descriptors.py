"""CVE-2024-21626 "Leaky Vessels": a working directory through a leaked descriptor is outside the root.

No process of a container has a descriptor that was not given to it, and none starts in a directory that has no name in
its root.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.support.entries import Entry, Refused, make_entry
from tests.support.launching import Bench, Connection
from tests.support.oci_runtime import OciRuntime, write_bundle
from tests.support.rootfs import PASSWD

from windlass.runtime.task import StartFailed

pytestmark = pytest.mark.root

_NUMBERS = range(3, 20)
# A shell of its own opens nothing; `ls` has the directory that it reads.
_SHOW = ["ls", "-l", "/proc/self/fd"]


def _numbers(listing: str) -> set[int]:
    links = [line.partition(" -> ")[0] for line in listing.splitlines() if line.startswith("l")]
    return {int(link.split()[-1]) for link in links if link.split()[-1].isdecimal()}


async def test_workdir_through_a_descriptor_is_refused(bench: Bench) -> None:
    """A descriptor of the container's own root is the one exception, and it leads nowhere else."""
    for number in _NUMBERS:
        plan = bench.plan(f"c{number}", ["cat", "../../../../etc/passwd"], cwd=f"/proc/self/fd/{number}")
        try:
            output, _ = await bench.run(plan)
        except StartFailed:
            continue
        assert output.decode() == PASSWD


async def test_exec_workdir_through_a_descriptor_is_refused(bench: Bench) -> None:
    task = await bench.start(bench.plan("c", ["sleep", "1000"]))
    try:
        for number in _NUMBERS:
            plan = bench.exec_plan(f"e{number}", ["cat", "../../../../etc/hostname"], cwd=f"/proc/self/fd/{number}")
            with Connection() as client:
                try:
                    await task.exec(plan, [client.attachment])
                except StartFailed:
                    continue
                client.handed_over()
                assert b"can't open" in await client.read_all()
    finally:
        await task.kill(9)
        await task.wait()


async def test_workdir_of_every_entry(entry: Entry) -> None:
    """The descriptors that our processes are likely to have, directly and by links of the image."""
    (entry.root / "link").symlink_to("/proc/self/fd/7")
    for cwd in ("/proc/self/fd/7", "/link"):
        try:
            output = await entry.output(["cat", "../../../../etc/passwd"], cwd=cwd)
        except Refused:
            continue
        assert output == PASSWD


async def test_only_the_three_streams_are_open(entry: Entry) -> None:
    assert _numbers(await entry.output(_SHOW)) == {0, 1, 2, 3}


# --- what the caller of the OCI runtime has open ------------------------------------------------------


@pytest.fixture
def bundle(bench: Bench, tmp_path: Path) -> Path:
    """A bundle with a root of its own, and a file on the host that leads out."""
    make_entry("oci run", bench, tmp_path).root.rename(tmp_path / "rootfs")
    return tmp_path


@pytest.fixture
def leaked(tmp_path: Path) -> Any:
    """Descriptors of the host's root that a careless caller leaves inheritable."""
    fds = [os.open("/", os.O_RDONLY | os.O_DIRECTORY) for _ in range(6)]
    for fd in fds:
        os.set_inheritable(fd, True)
    yield fds
    for fd in fds:
        os.close(fd)


def test_descriptors_of_the_caller_stay_out(bundle: Path, leaked: list[int]) -> None:
    runtime = OciRuntime(bundle)
    result = runtime.run(write_bundle(bundle, _SHOW), pass_fds=leaked)
    assert _numbers(result.stdout) == {0, 1, 2, 3}, result.stderr
    for number in leaked[:3]:
        write_bundle(bundle, ["cat", "../../../../etc/hostname"], process__cwd=f"/proc/self/fd/{number}")
        result = runtime.run(bundle, pass_fds=leaked)
        assert result.returncode == 1 and Path("/etc/hostname").read_text() not in result.stdout


def test_descriptors_of_the_caller_of_an_exec_stay_out(bundle: Path, leaked: list[int]) -> None:
    runtime = OciRuntime(bundle)
    write_bundle(bundle, ["sleep", "1000"])
    with open(bundle / "output", "w") as file:
        assert runtime.write_to(file, "run", "--detach", "--bundle", str(bundle), "c") == 0
    try:
        result = runtime("exec", "c", *_SHOW, pass_fds=leaked)
        assert _numbers(result.stdout) == {0, 1, 2, 3}, result.stderr
        for number in leaked[:2]:
            there = ("--cwd", f"/proc/self/fd/{number}")
            result = runtime("exec", *there, "c", "cat", "../../etc/hostname", pass_fds=leaked)
            assert result.returncode != 0 and Path("/etc/hostname").read_text() not in result.stdout
        init = json.loads(runtime("state", "c").stdout)["pid"]
        assert sorted(os.listdir(f"/proc/{init}/fd")) == ["0", "1", "2"]
    finally:
        runtime("delete", "--force", "c")


def test_a_container_that_waits_for_its_start_has_nothing_that_leads_out(bundle: Path, leaked: list[int]) -> None:
    """Between create and start, and in hooks: what is open is ours to close before anybody's code runs."""
    runtime = OciRuntime(bundle)
    hook = {"path": "/bin/sh", "args": ["sh", "-c", "exec ls -l /proc/self/fd >/hook"]}
    write_bundle(bundle, ["sh", "-c", "exec ls -l /proc/self/fd >/program"], hooks={"startContainer": [hook]})
    with open(bundle / "output", "w") as file:
        assert runtime.write_to(file, "create", "--bundle", str(bundle), "c") == 0
    try:
        runtime.start("c", pass_fds=leaked)
        for name in ("hook", "program"):
            assert _numbers((bundle / "rootfs" / name).read_text()) == {0, 1, 2, 3}
    finally:
        runtime("delete", "--force", "c")
