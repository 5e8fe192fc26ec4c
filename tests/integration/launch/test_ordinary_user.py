"""A launch by somebody who is not root: one id of their own is the container's root."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.planned import NAMESPACES, make_process, make_spec

from windlass.launch import child
from windlass.runtime.lower_plan import lower_plan
from windlass.runtime.plan_facts import PlanFacts
from windlass.spec.plan import BindRoot, LaunchPlan
from windlass.spec.runtime import IdMapping
from windlass.spec.task import IoPlan

pytestmark = pytest.mark.root

_USER = 54321


@pytest.fixture
def own_root(busybox_root: Path) -> Iterator[Path]:
    """A root that belongs to the user, in a directory that the user can reach."""
    directory = Path(tempfile.mkdtemp(prefix="windlass-ordinary-"))
    shutil.copytree(busybox_root, directory / "root", symlinks=True)
    directory.chmod(0o755)
    for path in (directory, *directory.rglob("*")):
        os.chown(path, _USER, _USER, follow_symlinks=False)
    yield directory / "root"
    shutil.rmtree(directory)


def _run(plan: LaunchPlan) -> str:
    """Launch `plan` as the user; returns what it wrote, and its exit code in the last line."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(_USER, _USER, _USER)
            os.setresuid(_USER, _USER, _USER)
            os.write(write, _launched(plan).encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read) as file:
        said = file.read()
    os.waitpid(pid, 0)
    return said


def _launched(plan: LaunchPlan) -> str:
    pid_read, pid_write = os.pipe()
    launched = child.spawn(plan, IoPlan(), [], pid_fd=pid_write)
    os.close(pid_write)
    while not launched.read_error():
        pass
    if (failure := launched.failure()) is not None:
        return failure.message
    data = b""
    for fd in launched.outputs:
        while chunk := os.read(fd, 65536):
            data += chunk
    return f"{data.decode()}{os.read(pid_read, 20).isdigit()}"


def test_a_container_of_one_id(own_root: Path) -> None:
    script = (
        "id -u; cat /proc/self/uid_map /proc/self/setgroups; stat -c %t:%T /dev/null; touch /mine; hostname; echo $$"
    )
    spec = make_spec(
        make_process("sh", "-c", script),
        namespaces=(*NAMESPACES, "user"),
        hostname="own",
        uid_mappings=[IdMapping(0, _USER, 1)],
        gid_mappings=[IdMapping(0, _USER, 1)],
    )
    plan = lower_plan(spec, PlanFacts(root=BindRoot(str(own_root)), host_capabilities=0))
    lines = _run(plan).splitlines()
    assert lines[0] == "0"
    assert lines[1].split() == ["0", str(_USER), "1"]
    assert lines[2:] == ["deny", "1:3", "own", "1", "True"]
    assert (own_root / "mine").stat().st_uid == _USER


def test_somebody_else_s_ids_are_refused(own_root: Path) -> None:
    spec = make_spec(
        make_process("true"),
        namespaces=(*NAMESPACES, "user"),
        uid_mappings=[IdMapping(0, 0, 1)],
        gid_mappings=[IdMapping(0, _USER, 1)],
    )
    plan = lower_plan(spec, PlanFacts(root=BindRoot(str(own_root)), host_capabilities=0))
    assert _run(plan) == "make a user namespace: map uids 0:0:1: Operation not permitted"
