"""Second lowering: from a runtime specification to the flat list of steps that init executes.

A pure function. The order is the one that the field's runtimes arrived at; where it matters, the reason stands beside
the step. Both `docker run` and the OCI runtime command come through here.

Source: runtime-spec runtime.md, "Lifecycle".
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.linux import mount as m
from windlass.linux.capabilities import CAPABILITY_NUMBERS
from windlass.linux.namespaces import CLONE_NEWNS, CLONE_NEWPID
from windlass.runtime.mount_options import PROPAGATION_FLAGS
from windlass.runtime.plan_facts import SYNC_PRESTART, PlanFacts
from windlass.runtime.plan_mounts import cgroup_readonly_paths, plan_mounts
from windlass.runtime.plan_namespaces import Namespaces
from windlass.runtime.plan_process import (
    available_capabilities,
    plan_labels,
    plan_privileges,
    plan_rlimits,
    plan_umask,
    plan_user,
)
from windlass.runtime.plan_scheduling import plan_execution, plan_scheduling
from windlass.spec.plan import (
    AnyOp,
    AttachRoot,
    BecomeInit,
    Chdir,
    Console,
    EnterUserNs,
    Exec,
    FindProgram,
    HookCommand,
    JoinCgroup,
    LaunchPlan,
    Mask,
    NewKeyring,
    OomScoreAdj,
    OverlayRoot,
    PivotRoot,
    PrepareBinds,
    Propagation,
    ReadOnlyPaths,
    ReadOnlyRoot,
    RunHooks,
    SetNs,
    Sync,
    UseRoot,
    WaitStart,
)
from windlass.spec.runtime import Hook, Hooks, Process, RuntimeSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_KEYRING_NAME = "_ses.windlass"
_SYS_ADMIN = CAPABILITY_NUMBERS["CAP_SYS_ADMIN"]
_NO_HOOKS = Hooks()


def lower_plan(spec: RuntimeSpec, facts: PlanFacts) -> LaunchPlan:
    """Return the plan that starts `spec`.

    Raises:
        InvalidParameter: the specification contradicts itself or uses unknown words.
        NotSupported: it asks for what this engine or this host does not have.
    """
    process = spec.process
    if process is None or not process.args:
        raise InvalidParameter("process.args must not be empty")
    namespaces = Namespaces(spec, facts)
    steps = [
        *_oom_score(process),
        *_to_the_root(spec, facts, namespaces),
        *_root(spec, facts, process, namespaces),
        *_protection(spec, facts),
        *_identity(spec, process, facts, namespaces),
    ]
    pid = namespaces.by_type.get("pid")
    parents = pid is not None and not namespaces.forks
    return LaunchPlan(
        ops=steps,
        new_pid_namespace=parents and bool(namespaces.fresh & CLONE_NEWPID),
        pid_namespace=pid.path if pid is not None and parents else "",
        cgroup_files=list(facts.cgroup_files),
    )


def _oom_score(process: Process) -> Iterator[AnyOp]:
    # First: root of a user namespace is not the owner of its own files in the host's /proc.
    if process.oom_score_adj is not None:
        yield OomScoreAdj(process.oom_score_adj)


def _to_the_root(spec: RuntimeSpec, facts: PlanFacts, namespaces: Namespaces) -> Iterator[AnyOp]:
    """Everything up to the bare root, mounted in the container's mount namespace."""
    if namespaces.joined_mounts:
        yield from _joined_root(facts, namespaces)
    elif not namespaces.has_user:
        yield from namespaces.joins()
        yield from namespaces.news()
        yield from namespaces.contents()
        yield NewKeyring(_KEYRING_NAME)
        yield from _bare_root(spec, facts)
    elif facts.host_capabilities >> _SYS_ADMIN & 1:
        yield from namespaces.joins()
        yield namespaces.mount_namespace()
        yield namespaces.user()
        yield from _bare_root(spec, facts)
        yield PrepareBinds()
        yield EnterUserNs()
        yield from namespaces.news()
        yield from namespaces.contents()
        yield NewKeyring(_KEYRING_NAME)
        yield AttachRoot("/")
    else:
        # An ordinary user may do nothing before it is root of the namespace.
        yield namespaces.user()
        yield EnterUserNs()
        yield from namespaces.joins()
        yield from namespaces.news()
        yield from namespaces.contents()
        yield NewKeyring(_KEYRING_NAME)
        yield from _bare_root(spec, facts)
        yield PrepareBinds()
        yield AttachRoot("/")


def _joined_root(facts: PlanFacts, namespaces: Namespaces) -> Iterator[AnyOp]:
    """In a mount namespace that others use: their mounts stay as they are, and the root is looked up among them."""
    yield from namespaces.joins()
    if namespaces.has_user:
        yield namespaces.user()
    # While paths are still the host's.
    yield PrepareBinds()
    yield SetNs(CLONE_NEWNS, namespaces.joined_mounts)
    if namespaces.has_user:
        yield EnterUserNs()
    yield from namespaces.news()
    yield from namespaces.contents()
    yield NewKeyring(_KEYRING_NAME)
    yield UseRoot(_root_place(facts))


def _bare_root(spec: RuntimeSpec, facts: PlanFacts) -> Iterator[AnyOp]:
    # First of all close the way back: without it every mount below would appear on the host.
    propagation = _propagation(spec.linux.rootfs_propagation, m.MS_SLAVE | m.MS_REC)
    if propagation & m.MS_UNBINDABLE:
        # Nothing could be bound from the host then: that comes when the root is finished.
        propagation = m.MS_PRIVATE | m.MS_REC
    yield Propagation(propagation)
    if propagation & m.MS_SHARED:
        # Left open for a shared volume: but the root must not appear on the host, and cannot be pivoted to if it does.
        yield Propagation(m.MS_PRIVATE, holder_of=_root_place(facts))
    yield facts.root


def _root(spec: RuntimeSpec, facts: PlanFacts, process: Process, namespaces: Namespaces) -> Iterator[AnyOp]:
    yield from plan_mounts(spec, facts)
    if process.terminal:
        yield Console()
    if SYNC_PRESTART in facts.sync_points:
        yield Sync(SYNC_PRESTART)
    # Found on the host, run in the container's namespaces: so before the host is out of sight.
    yield from _hooks("createContainer", (spec.hooks or _NO_HOOKS).create_container, facts.state_creating)
    yield PivotRoot(facts.no_pivot, chroot=bool(namespaces.joined_mounts))


def _hooks(point: str, hooks: list[Hook], state: str) -> Iterator[AnyOp]:
    if hooks:
        commands = [HookCommand(hook.path, list(hook.args), list(hook.env), hook.timeout or 0) for hook in hooks]
        yield RunHooks(point, commands, state)


def _protection(spec: RuntimeSpec, facts: PlanFacts) -> Iterator[AnyOp]:
    """What is taken away from the finished root."""
    if readonly := [*spec.linux.readonly_paths, *cgroup_readonly_paths(spec, facts)]:
        yield ReadOnlyPaths(readonly)
    if spec.linux.masked_paths:
        yield Mask(list(spec.linux.masked_paths))
    if spec.linux.rootfs_propagation:
        yield Propagation(_propagation(spec.linux.rootfs_propagation, 0), target="/")


def _identity(spec: RuntimeSpec, process: Process, facts: PlanFacts, namespaces: Namespaces) -> Iterator[AnyOp]:
    """From root of the container to its program; the control groups late, so that the interpreter is not charged."""
    yield plan_user(process.user)
    # Before the root becomes read-only: the directory may have to be made.
    yield Chdir(process.cwd, create=facts.make_cwd)
    if spec.root is not None and spec.root.readonly:
        yield ReadOnlyRoot()
    if facts.wait_start:
        yield FindProgram(process.args[0], search_path(process.env))
        yield WaitStart()
    yield from plan_rlimits(process, facts.host_capabilities)
    if facts.cgroup_files or namespaces.new_cgroup:
        yield JoinCgroup(namespaces.new_cgroup)
    # In the control groups: outside, others may be allowed.
    yield from plan_execution(spec)
    yield from plan_scheduling(process)
    yield from plan_labels(process, facts.security_modules)
    yield from plan_umask(process.user)
    hooks = _hooks("startContainer", (spec.hooks or _NO_HOOKS).start_container, facts.state_created)
    available = available_capabilities(spec, facts.host_capabilities)
    yield from plan_privileges(process, spec.linux.seccomp, facts.seccomp_program, available, hooks)
    if facts.init:
        yield BecomeInit()
    yield Exec(list(process.args), list(process.env), facts.preserve_fds)


def search_path(environment: list[str]) -> str:
    """Return PATH of an environment; the last one counts, as for whoever reads it."""
    found = [entry for entry in environment if entry.startswith("PATH=")]
    return found[-1].removeprefix("PATH=") if found else ""


def _root_place(facts: PlanFacts) -> str:
    return facts.root.target if isinstance(facts.root, OverlayRoot) else facts.root.source


def _propagation(word: str, default: int) -> int:
    if not word:
        return default
    if word not in PROPAGATION_FLAGS:
        raise InvalidParameter(f"rootfsPropagation={word} is not supported")
    return PROPAGATION_FLAGS[word] | m.MS_REC
