"""`--init`: a first process that passes signals on and reaps, above the user's program.

Mostly it is the launcher's own (`windlass.spec.plan.BecomeInit`), which no image sees. An engine with `--init-path`
binds that program into the container and runs the user's below it, as dockerd does.

Source: docs.docker.com, reference/cli/docker/container/run, "--init"; reference/cli/dockerd, "--init-path".
"""

from __future__ import annotations

from windlass.runtime.intent import ContainerIntent, DaemonDefaults
from windlass.spec.container import HostConfig
from windlass.spec.runtime import Mount

PLACE = "/sbin/docker-init"


def wants_init(host: HostConfig, defaults: DaemonDefaults) -> bool:
    """Tell whether a container gets one; in another's pid namespace it would not be the first process."""
    chosen = defaults.init if host.init is None else host.init
    return chosen and not host.pid_mode


def keeps_launcher(intent: ContainerIntent) -> bool:
    """Tell whether the launcher stays as the container's init."""
    return wants_init(intent.host_config, intent.defaults) and not intent.defaults.init_path


def below_init(intent: ContainerIntent) -> list[str]:
    """Return the command line, below the configured init program if there is one."""
    if _has_program(intent):
        return [PLACE, "--", *intent.args]
    return intent.args


def init_mounts(intent: ContainerIntent) -> list[Mount]:
    """List the mount of the configured init program."""
    return [Mount(PLACE, "bind", intent.defaults.init_path, ["bind", "ro"])] if _has_program(intent) else []


def _has_program(intent: ContainerIntent) -> bool:
    return wants_init(intent.host_config, intent.defaults) and bool(intent.defaults.init_path)
