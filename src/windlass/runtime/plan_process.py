"""The part of a launch plan that shapes the process: limits, identity, privileges.

Source: runtime-spec config.md, "POSIX process", "Linux Process", "User".
"""

from __future__ import annotations

from windlass.base.errors import NotSupported
from windlass.linux.capabilities import CAPABILITY_NUMBERS
from windlass.runtime.capabilities import capability_mask
from windlass.runtime.rlimits import rlimit_values
from windlass.seccomp.actions import filter_flags, notifies
from windlass.spec.plan import (
    AnyOp,
    Credentials,
    Labels,
    NoNewPrivs,
    ResolveUser,
    Rlimits,
    Seccomp,
    Umask,
)
from windlass.spec.runtime import Capabilities, Process, RuntimeSpec, User
from windlass.spec.seccomp import LinuxSeccomp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_UNCONFINED = "unconfined"
_SYS_RESOURCE = CAPABILITY_NUMBERS["CAP_SYS_RESOURCE"]


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


def plan_umask(user: User) -> Iterator[AnyOp]:
    """Set the mask that was asked for."""
    if user.umask is not None:
        yield Umask(user.umask)


def plan_labels(process: Process, modules: frozenset[str]) -> Iterator[AnyOp]:
    """Ask for labels; `modules` are those of `apparmor` and `selinux` that the host has.

    Raises:
        NotSupported: a label that the host cannot give, in runc's words.
    """
    apparmor = process.apparmor_profile
    if apparmor and "apparmor" not in modules:
        if apparmor != _UNCONFINED:
            raise NotSupported("apparmor: config provided but apparmor not supported")
        apparmor = ""
    if process.selinux_label and "selinux" not in modules:
        raise NotSupported("selinux label is specified in config, but selinux is disabled or not supported")
    if apparmor or process.selinux_label:
        yield Labels(apparmor, process.selinux_label)


def available_capabilities(spec: RuntimeSpec, host_capabilities: int) -> int:
    """Return the mask of what a process can be given: root of a user namespace has everything in it."""
    if any(namespace.type == "user" for namespace in spec.linux.namespaces):
        return (1 << len(CAPABILITY_NUMBERS)) - 1
    return host_capabilities


def plan_privileges(
    process: Process,
    seccomp: LinuxSeccomp | None,
    program: bytes | None,
    host_capabilities: int,
    hooks: Iterable[AnyOp] = (),
) -> Iterator[AnyOp]:
    """Drop to the user's identity and capabilities, run `hooks` as that, and install the filter.

    Without no_new_privs a filter needs CAP_SYS_ADMIN: it goes before the capabilities. With it, the filter goes last,
    and sees nothing of ours but the exec.
    """
    credentials = _credentials(process.capabilities or Capabilities(), host_capabilities)
    installs: list[AnyOp] = []
    if program:
        notify = seccomp is not None and notifies(seccomp)
        flags = filter_flags(seccomp.flags if seccomp else (), notify=notify)
        installs.append(Seccomp(program, flags, notify))
    if not process.no_new_privileges:
        yield from installs
        yield credentials
        yield from hooks
        return
    yield credentials
    yield from hooks
    yield NoNewPrivs()
    yield from installs


def _credentials(names: Capabilities, available: int) -> Credentials:
    ambient = capability_mask(names.ambient, available)
    permitted = capability_mask(names.permitted, available)
    inheritable = capability_mask(names.inheritable, available)
    return Credentials(
        bounding=capability_mask(names.bounding, available),
        effective=capability_mask(names.effective, available),
        permitted=permitted,
        inheritable=inheritable,
        # The kernel gives no others (capabilities(7), "Ambient"); bundles in the field ask for them and run without.
        ambient=ambient & permitted & inheritable,
    )
