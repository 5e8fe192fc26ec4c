"""Second lowering: from a runtime specification to the flat list of steps that init executes.

A pure function. The order is the one that the field's runtimes arrived at; where it matters, the reason stands beside
the step. Both `docker run` and the OCI runtime command come through here.

Source: runtime-spec runtime.md, "Lifecycle".
"""

from __future__ import annotations

from collections.abc import Iterator

from windlass.base.errors import InvalidParameter
from windlass.linux import mount as m
from windlass.runtime.mount_options import PROPAGATION_FLAGS
from windlass.runtime.plan_facts import PlanFacts
from windlass.runtime.plan_mounts import cgroup_readonly_paths, plan_mounts
from windlass.runtime.plan_process import plan_namespaces, plan_privileges, plan_rlimits, plan_user
from windlass.spec.plan import (
    AnyOp,
    Chdir,
    Console,
    Exec,
    JoinCgroup,
    LaunchPlan,
    Mask,
    NewKeyring,
    OomScoreAdj,
    OverlayRoot,
    PivotRoot,
    Propagation,
    ReadOnlyPaths,
    ReadOnlyRoot,
    WaitStart,
)
from windlass.spec.runtime import Process, RuntimeSpec

_KEYRING_NAME = "_ses.windlass"


def lower_plan(spec: RuntimeSpec, facts: PlanFacts) -> LaunchPlan:
    """Return the plan that starts `spec`.

    Raises:
        InvalidParameter: the specification contradicts itself or uses unknown words.
        NotSupported: it asks for what this engine does not have.
    """
    process = spec.process
    if process is None or not process.args:
        raise InvalidParameter("process.args must not be empty")
    steps = [
        *plan_namespaces(spec, facts),
        NewKeyring(_KEYRING_NAME),
        *_oom_score(process),
        *_root(spec, facts),
        *_protection(spec, facts),
        *_identity(spec, process, facts),
    ]
    pid_namespace = next((namespace for namespace in spec.linux.namespaces if namespace.type == "pid"), None)
    return LaunchPlan(
        ops=steps,
        new_pid_namespace=pid_namespace is not None and not pid_namespace.path,
        pid_namespace=pid_namespace.path if pid_namespace is not None else "",
        cgroup_files=list(facts.cgroup_files),
    )


def _oom_score(process: Process) -> Iterator[AnyOp]:
    if process.oom_score_adj is not None:
        yield OomScoreAdj(process.oom_score_adj)


def _root(spec: RuntimeSpec, facts: PlanFacts) -> Iterator[AnyOp]:
    # First of all close the way back: without it every mount below would appear on the host.
    propagation = _propagation(spec.linux.rootfs_propagation, m.MS_SLAVE | m.MS_REC)
    yield Propagation(propagation)
    if propagation & m.MS_SHARED:
        # Left open for a shared volume: but the root must not appear on the host, and cannot be pivoted to if it does.
        yield Propagation(m.MS_PRIVATE, holder_of=_root_place(facts))
    yield facts.root
    yield from plan_mounts(spec, facts)
    if spec.process is not None and spec.process.terminal:
        yield Console()
    yield PivotRoot()


def _protection(spec: RuntimeSpec, facts: PlanFacts) -> Iterator[AnyOp]:
    """What is taken away from the finished root."""
    if readonly := [*spec.linux.readonly_paths, *cgroup_readonly_paths(spec, facts)]:
        yield ReadOnlyPaths(readonly)
    if spec.linux.masked_paths:
        yield Mask(list(spec.linux.masked_paths))
    if spec.linux.rootfs_propagation:
        yield Propagation(_propagation(spec.linux.rootfs_propagation, 0), target="/")


def _identity(spec: RuntimeSpec, process: Process, facts: PlanFacts) -> Iterator[AnyOp]:
    """From root of the container to its program; the control groups late, so that the interpreter is not charged."""
    yield plan_user(process.user)
    # Before the root becomes read-only: the directory may have to be made.
    yield Chdir(process.cwd, create=facts.make_cwd)
    if spec.root is not None and spec.root.readonly:
        yield ReadOnlyRoot()
    if facts.wait_start:
        yield WaitStart()
    yield from plan_rlimits(process, facts.host_capabilities)
    unshare = _has_new_cgroup_namespace(spec)
    if facts.cgroup_files or unshare:
        yield JoinCgroup(unshare)
    yield from plan_privileges(process, spec.linux.seccomp, facts.seccomp_program, facts.host_capabilities)
    yield Exec(list(process.args), list(process.env))


def _root_place(facts: PlanFacts) -> str:
    return facts.root.target if isinstance(facts.root, OverlayRoot) else facts.root.source


def _has_new_cgroup_namespace(spec: RuntimeSpec) -> bool:
    return any(namespace.type == "cgroup" and not namespace.path for namespace in spec.linux.namespaces)


def _propagation(word: str, default: int) -> int:
    if not word:
        return default
    if word not in PROPAGATION_FLAGS:
        raise InvalidParameter(f"rootfsPropagation={word} is not supported")
    return PROPAGATION_FLAGS[word] | m.MS_REC
