"""The parts of a launch plan that shape the process: namespaces before the root, identity after it.

Source: runtime-spec config-linux.md, "Namespaces"; config.md, "POSIX process", "User".
"""

from __future__ import annotations

from collections.abc import Iterator

from windlass.base.errors import InvalidParameter, NotSupported
from windlass.linux.capabilities import CAPABILITY_NUMBERS
from windlass.linux.namespaces import CLONE_NEWNET, CLONE_NEWPID, NAMESPACE_FLAGS
from windlass.runtime.capabilities import capability_mask
from windlass.runtime.plan_facts import PlanFacts
from windlass.runtime.rlimits import rlimit_values
from windlass.runtime.sysctls import check_sysctls
from windlass.seccomp.actions import filter_flags
from windlass.spec.plan import (
    AnyOp,
    Credentials,
    Hostname,
    LoopbackUp,
    NoNewPrivs,
    ResolveUser,
    Rlimits,
    Seccomp,
    SetNs,
    Sysctl,
    Unshare,
)
from windlass.spec.runtime import Capabilities, Namespace, Process, RuntimeSpec, User
from windlass.spec.seccomp import LinuxSeccomp

_SYS_RESOURCE = CAPABILITY_NUMBERS["CAP_SYS_RESOURCE"]


def plan_namespaces(spec: RuntimeSpec, facts: PlanFacts) -> Iterator[AnyOp]:
    """Join namespaces, make new ones, and set what belongs to them.

    The pid namespace is the supervisor's (it takes effect at fork), a new cgroup namespace comes with `JoinCgroup`.

    Raises:
        InvalidParameter: an unknown namespace, or a parameter that is not the container's own.
        NotSupported: user and time namespaces.
    """
    fresh = 0
    for namespace in spec.linux.namespaces:
        flag = _flag(namespace)
        if namespace.path and flag != CLONE_NEWPID:
            yield SetNs(flag, namespace.path)
        elif flag == CLONE_NEWNET and facts.netns_fd >= 0:
            yield SetNs(flag, fd=facts.netns_fd)
        elif not namespace.path and namespace.type not in ("pid", "cgroup"):
            fresh |= flag
    if fresh:
        yield Unshare(fresh)
    if fresh & CLONE_NEWNET:
        yield LoopbackUp()
    own = frozenset(namespace.type for namespace in spec.linux.namespaces)
    if spec.linux.sysctl:
        yield Sysctl(check_sysctls(spec.linux.sysctl, own))
    if spec.hostname or spec.domainname:
        if "uts" not in own:
            raise InvalidParameter("unable to set hostname without a private UTS namespace")
        yield Hostname(spec.hostname, spec.domainname)


def _flag(namespace: Namespace) -> int:
    if namespace.type in ("user", "time"):
        raise NotSupported(f"{namespace.type} namespaces are not supported")
    if namespace.type not in NAMESPACE_FLAGS:
        raise InvalidParameter(f"unknown namespace type: {namespace.type}")
    return NAMESPACE_FLAGS[namespace.type]


def plan_user(user: User) -> ResolveUser:
    """Name the user: final numbers, or text to be resolved inside the root."""
    if user.username:
        return ResolveUser(user.username, list(user.additional_groups))
    groups = [str(gid) for gid in user.additional_gids]
    return ResolveUser(f"{user.uid}:{user.gid}", groups, numeric=True)


def plan_rlimits(process: Process, host_capabilities: int) -> Iterator[AnyOp]:
    """Set limits, late: the interpreter must not meet the container's limits.

    An engine without CAP_SYS_RESOURCE cannot raise a hard limit: it gets as near as it can.
    """
    if process.rlimits:
        best_effort = not host_capabilities >> _SYS_RESOURCE & 1
        yield Rlimits(rlimit_values(process.rlimits), best_effort)


def plan_privileges(
    process: Process, seccomp: LinuxSeccomp | None, program: bytes | None, host_capabilities: int
) -> Iterator[AnyOp]:
    """Drop to the user's identity and capabilities and install the filter.

    Without no_new_privs a filter needs CAP_SYS_ADMIN: it goes before the capabilities. With it, the filter goes last,
    and sees nothing of ours but the exec.
    """
    credentials = _credentials(process.capabilities or Capabilities(), host_capabilities)
    installs: list[AnyOp] = []
    if program:
        installs.append(Seccomp(program, filter_flags(seccomp.flags if seccomp else ())))
    if not process.no_new_privileges:
        yield from installs
        yield credentials
        return
    yield credentials
    yield NoNewPrivs()
    yield from installs


def _credentials(names: Capabilities, available: int) -> Credentials:
    return Credentials(
        bounding=capability_mask(names.bounding, available),
        effective=capability_mask(names.effective, available),
        permitted=capability_mask(names.permitted, available),
        inheritable=capability_mask(names.inheritable, available),
        ambient=capability_mask(names.ambient, available),
    )
