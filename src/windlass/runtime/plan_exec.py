"""The launch plan of one more process in a running container.

Source: runtime-spec config.md, "Process"; runc exec(8).
"""

from __future__ import annotations

from windlass.linux.namespaces import NAMESPACE_FLAGS
from windlass.runtime.plan_process import (
    available_capabilities,
    plan_labels,
    plan_privileges,
    plan_rlimits,
    plan_umask,
    plan_user,
)
from windlass.runtime.plan_scheduling import plan_affinity, plan_execution, plan_scheduling
from windlass.spec.plan import AnyOp, Chdir, Console, Exec, JoinCgroup, JoinTarget, LaunchPlan, OomScoreAdj
from windlass.spec.runtime import CpuAffinity, Process, RuntimeSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Not pid: whoever forks this process has its children in it already.
_JOINED = ("mount", "uts", "ipc", "network", "cgroup", "user", "time")


def plan_exec(
    process: Process,
    spec: RuntimeSpec,
    *,
    cgroup_files: Sequence[str],
    seccomp_program: bytes | None,
    host_capabilities: int,
    security_modules: frozenset[str] = frozenset(),
    preserve_fds: int = 0,
) -> LaunchPlan:
    """Return the plan of `process` in the container that `spec` started.

    Raises:
        InvalidParameter, NotSupported: as `lower_plan`.
    """
    steps = [
        *_into(process, spec),
        *plan_rlimits(process, host_capabilities),
        *_scheduled(process, spec, cgroup_files),
        *plan_labels(process, security_modules),
        *plan_umask(process.user),
        *plan_privileges(process, spec.linux.seccomp, seccomp_program, available_capabilities(spec, host_capabilities)),
        Exec(list(process.args), list(process.env), preserve_fds),
    ]
    return LaunchPlan(ops=steps, cgroup_files=list(cgroup_files))


def _into(process: Process, spec: RuntimeSpec) -> Iterator[AnyOp]:
    """From the host to the working directory."""
    affinity = process.exec_cpu_affinity or CpuAffinity()
    yield from plan_affinity(affinity.initial)
    # Before joining: afterwards /proc may be one that the container mounted.
    if process.oom_score_adj is not None:
        yield OomScoreAdj(process.oom_score_adj)
    yield JoinTarget(_join_flags(spec))
    if process.terminal:
        yield Console(bind=False)
    yield plan_user(process.user)
    yield Chdir(process.cwd)


def _scheduled(process: Process, spec: RuntimeSpec, cgroup_files: Sequence[str]) -> Iterator[AnyOp]:
    if cgroup_files:
        # The cgroup namespace was joined above: its root is the container's group, which is where this leads.
        yield JoinCgroup()
    affinity = process.exec_cpu_affinity or CpuAffinity()
    yield from plan_affinity(affinity.final)
    yield from plan_execution(spec)
    yield from plan_scheduling(process)


def _join_flags(spec: RuntimeSpec) -> int:
    flags = 0
    for namespace in spec.linux.namespaces:
        if namespace.type in _JOINED:
            flags |= NAMESPACE_FLAGS[namespace.type]
    return flags
