"""CVE-2025-52881, CVE-2019-16884, CVE-2023-28642: what is written to procfs is written to the kernel's.

A neighbour or an image puts something in the way: a mount over the file, a link in the place of /proc. A write that
lands elsewhere is a limit that does not hold, or a write to a file of the attacker's choice.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from tests.support.entries import FIRST, Entry, Refused, make_entry
from tests.support.launching import Bench
from tests.support.oci_runtime import OciRuntime, capabilities, write_bundle

from windlass.runtime.task import StartFailed
from windlass.spec import plan as ops
from windlass.spec.container import HostConfig

pytestmark = pytest.mark.root


@pytest.fixture(params=FIRST)
def first(request: pytest.FixtureRequest, bench: Bench, tmp_path: Path) -> Entry:
    """Each way in for a container's first process."""
    return make_entry(request.param, bench, tmp_path)


@pytest.mark.parametrize("target", ["/proc/sys/kernel/domainname", "/proc/sys/kernel", "/proc/self"])
async def test_sysctls_under_a_mount(first: Entry, tmp_path: Path, target: str) -> None:
    """A volume over the file: the parameter is set, or the container does not start; the volume stays as it was."""
    trap = tmp_path / "trap"
    if target == "/proc/sys/kernel/domainname":
        trap.write_text("")
    else:
        (trap / "kernel").mkdir(parents=True)
        (trap / "domainname").touch()
        (trap / "kernel/domainname").touch()
    mount = {"destination": target, "source": str(trap), "options": ["rbind", "rw"]}
    host = HostConfig(sysctls={"kernel.domainname": "real"}, binds=[f"{trap}:{target}"])
    oci = {"linux__sysctl": {"kernel.domainname": "real"}, "mounts": [mount]}
    before = Path("/proc/sys/kernel/domainname").read_text()
    try:
        assert await first.output(["dnsdomainname"], host=host, oci=oci) is not None
    except Refused:
        pass
    files = [trap] if trap.is_file() else [path for path in trap.rglob("*") if path.is_file()]
    assert [path.read_text() for path in files] == [""] * len(files)
    assert Path("/proc/sys/kernel/domainname").read_text() == before


async def test_sysctls_are_set_where_nothing_is_in_the_way(first: Entry) -> None:
    changes = {"linux__sysctl": {"kernel.domainname": "real"}}
    show = ["cat", "/proc/sys/kernel/domainname"]
    assert await first.output(show, host=HostConfig(sysctls={"kernel.domainname": "real"}), oci=changes) == "real\n"


@pytest.mark.parametrize("label", [ops.Labels(apparmor="docker-default"), ops.Labels(selinux="system_u:system_r:x")])
async def test_labels_are_not_written_to_an_imitation(bench: Bench, tmp_path: Path, label: ops.Labels) -> None:
    """The image's files for labels, mounted over the kernel's: the label is set or refused, and they stay empty."""
    attr = tmp_path / "attr"
    (attr / "apparmor").mkdir(parents=True)
    for name in ("exec", "apparmor/exec"):
        (attr / name).touch(0o666)
    for number, target in enumerate(("/proc/self/attr", "/proc/thread-self/attr", "/proc")):
        source = attr if target != "/proc" else tmp_path / "proc"
        if target == "/proc":
            shutil.copytree(attr, source / "self/attr")
        plan = bench.plan(f"c{number}", ["true"], extra=[ops.Bind(str(source), target)], last=[label])
        with pytest.raises(StartFailed):
            await bench.run(plan)
    written = [path.read_text() for path in tmp_path.glob("**/exec") if path.is_file()]
    assert set(written) == {""}


async def test_limits_of_an_exec_do_not_go_through_the_container_s_proc(bench: Bench, tmp_path: Path) -> None:
    """An exec meets a /proc that the container has covered after its start."""
    root = make_entry("oci run", bench, tmp_path).root
    root.rename(tmp_path / "rootfs")
    fake = tmp_path / "rootfs/fake/self"
    (fake / "attr").mkdir(parents=True)
    for name in ("oom_score_adj", "attr/exec", "timens_offsets", "setgroups"):
        (fake / name).touch(0o666)
    script = "mount --bind /fake /proc && echo covered; sleep 1000"
    write_bundle(tmp_path, ["sh", "-c", script], process__capabilities=capabilities("CAP_SYS_ADMIN"))
    runtime = OciRuntime(tmp_path)
    try:
        with open(tmp_path / "output", "w") as file:
            assert runtime.write_to(file, "run", "--detach", "--bundle", str(tmp_path), "c") == 0
        for _ in range(200):
            if "covered" in (tmp_path / "output").read_text():
                break
            await asyncio.sleep(0.02)
        process = {
            "cwd": "/",
            "args": ["echo", "ok"],
            "env": ["PATH=/bin"],
            "oomScoreAdj": 500,
            "rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}],
        }
        (tmp_path / "process.json").write_text(json.dumps(process))
        runtime("exec", "--process", str(tmp_path / "process.json"), "c")
        assert {path.read_text() for path in fake.rglob("*") if path.is_file()} == {""}
    finally:
        runtime("delete", "--force", "c")
