"""Images that put symbolic links and special files where a runtime mounts, reads or writes.

CVE-2019-16884, CVE-2019-19921, CVE-2023-27561, CVE-2025-31133, CVE-2025-52565, CVE-2026-41579, CVE-2024-9676,
CVE-2026-47262, CVE-2024-40635, CVE-2026-46680.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest
from tests.support.launching import Bench

from windlass.linux import mount as m
from windlass.runtime.task import StartFailed
from windlass.spec import plan as ops
from windlass.spec.task import TaskPlan

pytestmark = pytest.mark.root


@pytest.fixture
def hostile(bench: Bench, tmp_path: Path) -> Bench:
    """A bench whose root may be spoiled."""
    root = tmp_path / "hostile"
    shutil.copytree(bench.lower, root, symlinks=True)
    bench.lower = root
    return bench


def _replace_with_link(path: Path, target: str) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)


async def test_cve_2019_19921_proc_symlink_is_refused(hostile: Bench) -> None:
    _replace_with_link(hostile.lower / "proc", "/tmp")
    with pytest.raises(StartFailed, match="mount proc at /proc"):
        await hostile.start(hostile.plan("c", ["true"]))


async def test_cve_2026_41579_dev_symlink_writes_nothing_on_the_host(hostile: Bench, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    _replace_with_link(hostile.lower / "dev", str(outside))
    try:
        output, _ = await hostile.run(hostile.plan("c", ["ls", "/dev"]))
        assert b"null" in output
    except StartFailed:
        pass
    assert os.listdir(outside) == []


async def test_bind_target_through_a_symlink_stays_inside(hostile: Bench, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("bound")
    (hostile.lower / "data").symlink_to(str(outside))
    bind = ops.Bind(str(source), "/data/deep")
    try:
        output, _ = await hostile.run(hostile.plan("c", ["cat", f"{outside}/deep/file"], extra=[bind]))
        assert output == b"bound"
    except StartFailed:
        pass
    assert os.listdir(outside) == []


async def test_cve_2025_31133_false_null_device_is_not_bound_over_masked_paths(hostile: Bench) -> None:
    secret = ops.Symlink("/dev/null", "/proc/sysrq-trigger")
    plan = hostile.plan("c", ["true"], extra=[ops.Mask(["/proc/uptime"])])
    steps = [op for op in plan.launch.ops if not (isinstance(op, ops.DevNode) and op.target == "/dev/null")]
    at = next(index for index, op in enumerate(steps) if isinstance(op, ops.Mask))
    steps.insert(at, secret)
    broken = _with_steps(plan, steps)
    with pytest.raises(StartFailed):
        await hostile.start(broken)


async def test_cve_2025_31133_null_device_replaced_by_a_file(hostile: Bench, tmp_path: Path) -> None:
    (tmp_path / "fake").write_text("not null")
    plan = hostile.plan("c", ["true"], extra=[ops.Mask(["/proc/uptime"])])
    steps = [op for op in plan.launch.ops if not (isinstance(op, ops.DevNode) and op.target == "/dev/null")]
    at = next(index for index, op in enumerate(steps) if isinstance(op, ops.Mask))
    steps.insert(at, ops.Bind(str(tmp_path / "fake"), "/dev/null"))
    with pytest.raises(StartFailed, match="not the null device"):
        await hostile.start(_with_steps(plan, steps))


async def test_masked_and_read_only_paths_hold(bench: Bench) -> None:
    extra = [ops.Mask(["/proc/uptime", "/proc/scsi", "/no/such"]), ops.ReadOnlyPaths(["/proc/sys", "/no/such"])]
    script = "wc -c < /proc/uptime; echo x > /proc/sys/kernel/domainname || echo read-only"
    output, _ = await bench.run(bench.plan("c", ["sh", "-c", script], extra=extra))
    assert output.split(b"\n")[0] == b"0"
    assert b"read-only" in output


async def test_cve_2025_52565_console_symlink_is_refused(hostile: Bench) -> None:
    link = ops.Symlink("/dev/console", "/proc/sysrq-trigger")
    with pytest.raises(StartFailed, match="allocate a terminal"):
        await hostile.start(hostile.plan("c", ["true"], tty=True, extra=[link]))


async def test_false_terminal_multiplexer_is_refused(hostile: Bench) -> None:
    plan = hostile.plan("c", ["true"], tty=True)
    steps = [op for op in plan.launch.ops if not (isinstance(op, ops.MountFs) and op.fstype == "devpts")]
    at = next(index for index, op in enumerate(steps) if isinstance(op, ops.Console))
    steps[at:at] = [ops.DevNode("/dev/pts/ptmx", "c", 1, 3)]
    with pytest.raises(StartFailed, match="allocate a terminal: no such device"):
        await hostile.start(_with_steps(plan, steps))


async def test_cve_2024_9676_passwd_fifo_does_not_hang(hostile: Bench) -> None:
    (hostile.lower / "etc/passwd").unlink()
    os.mkfifo(hostile.lower / "etc/passwd")
    with pytest.raises(StartFailed, match="/etc/passwd is not a regular file"):
        await hostile.start(hostile.plan("c", ["true"], user="bob"))


async def test_cve_2026_47262_giant_passwd_is_bounded(hostile: Bench) -> None:
    with open(hostile.lower / "etc/passwd", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(StartFailed, match="is larger than"):
        await hostile.start(hostile.plan("c", ["true"], user="bob"))


async def test_passwd_symlink_to_the_host_reads_the_container_s(hostile: Bench, tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("evil:x:0:0::/:/bin/sh\n")
    _replace_with_link(hostile.lower / "etc/passwd", str(tmp_path / "passwd"))
    with pytest.raises(StartFailed, match="unable to find user evil"):
        await hostile.start(hostile.plan("c", ["true"], user="evil"))


@pytest.mark.parametrize(
    "user", ["4294967296", "2147483648", "-1", "99999999999999999999", "0:4294967296", "1" * 100_000]
)
async def test_cve_2024_40635_numbers_out_of_range_are_never_names(hostile: Bench, user: str) -> None:
    name = user.partition(":")[0]
    (hostile.lower / "etc/passwd").write_text(f"{name}:x:0:0::/:/bin/sh\n")
    with pytest.raises(StartFailed, match="uids and gids must be in range 0-2147483647"):
        await hostile.start(hostile.plan("c", ["true"], user=user))


async def test_cve_2025_52881_sysctl_is_written_to_real_procfs_only(hostile: Bench, tmp_path: Path) -> None:
    (tmp_path / "trap").write_text("")
    trap = ops.Bind(str(tmp_path / "trap"), "/proc/sys/kernel/domainname")
    plan = hostile.plan("c", ["true"], extra=[trap], last=[ops.Sysctl([("kernel.domainname", "real")])])
    await hostile.run(plan)
    assert (tmp_path / "trap").read_text() == ""


@pytest.mark.parametrize("key", ["kernel/../../../etc/x", "../../tmp/x", "kernel.+shm", "kernel.nosuchkey"])
async def test_cve_2022_0811_sysctl_names_do_not_escape(bench: Bench, key: str) -> None:
    with pytest.raises(StartFailed, match="sysctl"):
        await bench.start(bench.plan("c", ["true"], last=[ops.Sysctl([(key, "1")])]))


async def test_cve_2022_24769_inheritable_capabilities_are_empty(bench: Bench) -> None:
    output, _ = await bench.run(bench.plan("c", ["grep", "CapInh", "/proc/self/status"]))
    assert output.split()[1] == b"0" * 16


async def test_mounts_do_not_reach_the_host(bench: Bench, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    bind = ops.Bind(str(shared), "/mnt", propagation=m.MS_PRIVATE | m.MS_REC)
    before = Path("/proc/self/mountinfo").read_text()
    await bench.run(bench.plan("c", ["ls", "/mnt"], extra=[bind]))
    assert Path("/proc/self/mountinfo").read_text() == before


def _with_steps(plan: TaskPlan, steps: list[ops.AnyOp]) -> TaskPlan:
    return msgspec.structs.replace(plan, launch=msgspec.structs.replace(plan.launch, ops=steps))
