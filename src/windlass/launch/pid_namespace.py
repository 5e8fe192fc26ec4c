"""The parent's part of a plan: pid namespaces take effect at the next fork."""

from __future__ import annotations

import os

from windlass.linux import namespaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.spec.plan import LaunchPlan


def enter_pid_namespace(plan: LaunchPlan) -> None:
    """Let the next fork, and later ones, land in the plan's pid namespace."""
    if plan.new_pid_namespace:
        namespaces.unshare(namespaces.CLONE_NEWPID)
    elif plan.pid_namespace:
        fd = os.open(plan.pid_namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            namespaces.setns(fd, namespaces.CLONE_NEWPID)
        finally:
            os.close(fd)
