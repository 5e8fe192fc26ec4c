"""Containers from runtime specifications: the real second lowering on a bench, without control groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.launching import Bench

from windlass.linux.capabilities import effective_capabilities
from windlass.runtime.lower_plan import lower_plan
from windlass.runtime.plan_exec import plan_exec
from windlass.runtime.plan_facts import PlanFacts
from windlass.spec.capabilities import DEFAULT_CAPABILITIES
from windlass.spec.plan import OverlayRoot
from windlass.spec.runtime import Capabilities, IdMapping, Linux, Mount, Namespace, Process, Root, RuntimeSpec
from windlass.spec.task import ExecPlan, IoPlan, LogPlan, TaskPlan

NAMESPACES = ("mount", "uts", "ipc", "network", "pid")
_NAMES = list(DEFAULT_CAPABILITIES)
CAPABILITIES = Capabilities(_NAMES, _NAMES, _NAMES)
MOUNTS = [
    Mount("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
    Mount("/dev", "tmpfs", "tmpfs", ["nosuid", "mode=755"]),
    Mount("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
    Mount("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
    Mount("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
]
# Two ranges of users, so that a shift by one number is not enough.
UIDS = [IdMapping(0, 100000, 1000), IdMapping(1000, 300000, 60000)]
GIDS = [IdMapping(0, 200000, 65536)]


def make_process(*args: str, **members: Any) -> Process:
    """A process of root with Docker's capabilities."""
    return Process(**{"cwd": "/", "args": list(args), "env": ["PATH=/bin"], "capabilities": CAPABILITIES} | members)


def make_spec(
    process: Process,
    *,
    namespaces: Sequence[str] = NAMESPACES,
    mounts: Sequence[Mount] = (),
    hostname: str = "",
    **linux: Any,
) -> RuntimeSpec:
    """A specification; a namespace is `type` or `type=path`, `mounts` come after the usual ones."""
    members = Linux(namespaces=[Namespace(*word.split("=", 1)) for word in namespaces], **linux)
    return RuntimeSpec("1.2.0", process, Root("rootfs"), hostname, mounts=[*MOUNTS, *mounts], linux=members)


def remapped(process: Process, *, namespaces: Sequence[str] = NAMESPACES, **more: Any) -> RuntimeSpec:
    """A specification with a user namespace of its own."""
    linux = {"uid_mappings": UIDS, "gid_mappings": GIDS} | more
    return make_spec(process, namespaces=(*namespaces, "user"), **linux)


def make_task(bench: Bench, spec: RuntimeSpec, name: str = "c", **facts: Any) -> TaskPlan:
    """Lower `spec` to a task on the bench; `facts` are members of `PlanFacts`."""
    directory = bench.directory / "containers" / name
    for part in ("root", "upper", "work"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    root = OverlayRoot(
        f"{directory}/root",
        str(bench.lower.parent),
        [bench.lower.name],
        f"{directory}/upper",
        f"{directory}/work",
        idmap=any(namespace.type == "user" for namespace in spec.linux.namespaces),
    )
    found = PlanFacts(**{"root": root, "host_capabilities": effective_capabilities()} | facts)
    run = bench.launcher.task_directory(name)
    assert spec.process is not None
    io = IoPlan(tty=spec.process.terminal, stdin=spec.process.terminal, rows=24, columns=80)
    log = LogPlan(path=str(directory / "log"))
    return TaskPlan(name, lower_plan(spec, found), io, log, f"{run}/exit.json", f"{run}/pid")


async def output(bench: Bench, spec: RuntimeSpec, name: str = "c", **facts: Any) -> str:
    """Run a container to its end and return what it wrote."""
    data, _ = await bench.run(make_task(bench, spec, name, **facts))
    return data.decode()


def make_exec(spec: RuntimeSpec, process: Process) -> ExecPlan:
    """One more process in the container of `spec`."""
    plan = plan_exec(process, spec, cgroup_files=(), seccomp_program=None, host_capabilities=effective_capabilities())
    return ExecPlan("e", plan, IoPlan(tty=process.terminal, rows=24, columns=80))
