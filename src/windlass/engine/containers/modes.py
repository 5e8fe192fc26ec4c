"""The host's half of a container: defaults filled in, contradictions refused.

Source: Engine API, HostConfig; texts of dockerd's validation.
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.engine.containers.log_options import complete_log
from windlass.engine.settings import EngineSettings
from windlass.runtime.intent import HostFacts
from windlass.runtime.mounts import READONLY_PATHS, default_masked_paths
from windlass.runtime.namespaces import cgroupns_default
from windlass.runtime.security import SYSTEM_PATHS_UNCONFINED
from windlass.spec.container import HostConfig

RESTART_POLICIES = ("no", "always", "unless-stopped", "on-failure")


def complete_host_config(host: HostConfig, settings: EngineSettings, facts: HostFacts, *, bridged: bool) -> None:
    """Fill in what the user left open, in place; `bridged` tells whether there is a default network.

    Raises:
        InvalidParameter: members contradict each other or are not known.
    """
    _check_restart(host)
    complete_log(host, settings)
    _complete_modes(host, settings, cgroup_version=facts.cgroup_version, bridged=bridged)
    host.runtime = settings.runtimes.name_of(host.runtime)
    if host.shm_size < 0:
        raise InvalidParameter("SHM size can not be less than 0")
    host.shm_size = host.shm_size or settings.shm_size_bytes
    _complete_paths(host, facts)
    if host.memory > 0 and host.memory_swap == 0:
        host.memory_swap = 2 * host.memory
    host.console_size = host.console_size or [0, 0]


def _complete_paths(host: HostConfig, facts: HostFacts) -> None:
    """Say which paths are hidden and read-only, so that `inspect` shows them; lists of the user's own stay."""
    if host.privileged:
        return
    unconfined = SYSTEM_PATHS_UNCONFINED in (host.security_opt or ())
    if host.masked_paths is None:
        host.masked_paths = [] if unconfined else default_masked_paths(facts)
    if host.readonly_paths is None:
        host.readonly_paths = [] if unconfined else list(READONLY_PATHS)


def _check_restart(host: HostConfig) -> None:
    policy = host.restart_policy
    policy.name = policy.name or "no"
    if policy.name not in RESTART_POLICIES:
        raise InvalidParameter(f"invalid restart policy: unknown policy '{policy.name}'")
    if policy.maximum_retry_count and policy.name != "on-failure":
        raise InvalidParameter("invalid restart policy: maximum retry count can only be used with 'on-failure'")
    if policy.maximum_retry_count < 0:
        raise InvalidParameter("invalid restart policy: maximum retry count cannot be negative")
    if host.auto_remove and policy.name != "no":
        raise InvalidParameter("can't create 'AutoRemove' container with restart policy")


def _complete_modes(host: HostConfig, settings: EngineSettings, *, cgroup_version: int, bridged: bool) -> None:
    if host.network_mode in ("", "default"):
        host.network_mode = "bridge" if bridged else "none"
    host.ipc_mode = host.ipc_mode or settings.ipc_mode
    if not host.cgroupns_mode:
        host.cgroupns_mode = settings.cgroupns_mode or cgroupns_default(
            privileged=host.privileged, cgroup_version=cgroup_version
        )
    if host.network_mode.startswith("container:") and (host.publish_all_ports or host.port_bindings):
        raise InvalidParameter("conflicting options: port publishing and the container type network mode")
