"""Lowering one more process in a running container (`docker exec`).

Source: Docker Engine API, ExecCreate; runtime-spec config.md, "Process".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from windlass.base.errors import InvalidParameter
from windlass.linux.namespaces import NAMESPACE_FLAGS
from windlass.runtime.capabilities import container_capabilities
from windlass.runtime.environment import exec_environment
from windlass.runtime.lower_spec import working_directory
from windlass.runtime.plan_process import plan_privileges, plan_rlimits, plan_user
from windlass.spec.plan import AnyOp, Chdir, Console, Exec, JoinCgroup, JoinTarget, LaunchPlan, OomScoreAdj
from windlass.spec.runtime import Capabilities, Process, RuntimeSpec, User

# Not pid: the supervisor, which forks this process, has its children in it already.
_JOINED = ("mount", "uts", "ipc", "network", "cgroup")


class ExecIntent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to run: empty members mean "as the container". `env` overrides the container's."""

    args: list[str]
    env: list[str] = []
    user: str = ""
    working_dir: str = ""
    tty: bool = False
    privileged: bool = False


def lower_exec(
    intent: ExecIntent,
    spec: RuntimeSpec,
    *,
    cgroup_files: Sequence[str],
    seccomp_program: bytes | None,
    host_capabilities: int,
) -> LaunchPlan:
    """Return the plan of a process in the container that `spec` started.

    A privileged one has every capability and no filter.

    Raises:
        InvalidParameter: no command, or a relative working directory.
    """
    if not intent.args or not intent.args[0]:
        raise InvalidParameter("No exec command specified")
    if spec.process is None:
        raise InvalidParameter("the container has no process")
    process = exec_process(intent, spec.process, host_capabilities)
    program = None if intent.privileged else seccomp_program
    return LaunchPlan(
        ops=list(_steps(process, spec, program, cgroup_files, host_capabilities)),
        cgroup_files=list(cgroup_files),
    )


def exec_process(intent: ExecIntent, container: Process, host_capabilities: int) -> Process:
    """Return the container's process with what `intent` changes."""
    capabilities = container.capabilities
    if intent.privileged:
        everything = container_capabilities(None, None, privileged=True, available=host_capabilities)
        capabilities = Capabilities(everything, everything, everything)
    user = container.user
    if intent.user:
        user = User(username=intent.user, additional_groups=user.additional_groups)
    return msgspec.structs.replace(
        container,
        args=intent.args,
        env=exec_environment(container.env, intent.env, tty=intent.tty),
        cwd=working_directory(intent.working_dir) if intent.working_dir else container.cwd,
        terminal=intent.tty,
        user=user,
        capabilities=capabilities,
        no_new_privileges=container.no_new_privileges and not intent.privileged,
    )


def _steps(
    process: Process,
    spec: RuntimeSpec,
    program: bytes | None,
    cgroup_files: Sequence[str],
    host_capabilities: int,
) -> Iterator[AnyOp]:
    # Before joining: afterwards /proc may be one that the container mounted.
    if process.oom_score_adj is not None:
        yield OomScoreAdj(process.oom_score_adj)
    yield JoinTarget(_join_flags(spec))
    if process.terminal:
        yield Console(bind=False)
    yield plan_user(process.user)
    yield Chdir(process.cwd)
    yield from plan_rlimits(process, host_capabilities)
    if cgroup_files:
        # The cgroup namespace was joined above: its root is the container's group, which is where this leads.
        yield JoinCgroup()
    yield from plan_privileges(process, spec.linux.seccomp, program, host_capabilities)
    yield Exec(list(process.args), list(process.env))


def _join_flags(spec: RuntimeSpec) -> int:
    flags = 0
    for namespace in spec.linux.namespaces:
        if namespace.type in _JOINED:
            flags |= NAMESPACE_FLAGS[namespace.type]
    return flags
