"""Lowering one more process in a running container (`docker exec`).

Source: Docker Engine API, ExecCreate; runtime-spec config.md, "Process".
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from windlass.base.errors import InvalidParameter
from windlass.runtime.capabilities import container_capabilities
from windlass.runtime.environment import exec_environment
from windlass.runtime.lower_spec import working_directory
from windlass.runtime.plan_exec import plan_exec
from windlass.spec.plan import LaunchPlan
from windlass.spec.runtime import Capabilities, Process, RuntimeSpec, User


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
    security_modules: frozenset[str] = frozenset(),
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
    return plan_exec(
        process,
        spec,
        cgroup_files=cgroup_files,
        seccomp_program=program,
        host_capabilities=host_capabilities,
        security_modules=security_modules,
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
