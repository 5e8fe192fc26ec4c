"""Checking a new container's configuration before anything is made.

`check_container` is for `create`, after the defaults are filled in: it refuses contradictions in Docker's words and
returns the host configuration without what this host cannot do, with warnings. Nothing is looked up; bind sources and
devices have their own functions (`check_bind_sources`, `resolve_devices`).

Source: Docker Engine API, ContainerCreate.
"""

from __future__ import annotations

from typing import NamedTuple

from windlass.base.errors import InvalidParameter, System
from windlass.linux.capabilities import CAPABILITY_NUMBERS
from windlass.runtime import network_conflicts
from windlass.runtime.capabilities import normalize_capabilities
from windlass.runtime.check_resources import Draft, check_resources
from windlass.runtime.devices import parse_device_rules
from windlass.runtime.intent import DaemonDefaults, HostFacts
from windlass.runtime.mount_requests import parse_mounts
from windlass.runtime.namespaces import check_modes
from windlass.runtime.rlimits import RLIMIT_NUMBERS, lower_ulimits
from windlass.runtime.security import parse_security_options
from windlass.seccomp.profile import parse_profile
from windlass.spec.container import ContainerConfig, HostConfig

_MIN_OOM, _MAX_OOM = -1000, 1000


class Checked(NamedTuple):
    """A configuration that can be lowered, and what its user should know."""

    host_config: HostConfig
    warnings: list[str]


def check_container(
    config: ContainerConfig, host_config: HostConfig, facts: HostFacts, defaults: DaemonDefaults
) -> Checked:
    """Check a configuration whose defaults are filled in.

    Raises:
        InvalidParameter: malformed or contradicting itself, in Docker's words.
        NotSupported, System: it asks for what this engine or its storage does not have.
    """
    draft = Draft(host_config)
    check_resources(draft, facts)
    host = draft.host
    check_modes(
        ipc=host.ipc_mode,
        pid=host.pid_mode,
        uts=host.uts_mode,
        userns=host.userns_mode,
        cgroupns=host.cgroupns_mode,
    )
    network_conflicts.check_network_mode(config, host)
    network_conflicts.check_uts_mode(config, host)
    _check_host(host, facts, defaults)
    parse_mounts(config, host)
    _warn(draft, facts)
    return Checked(draft.host, draft.warnings)


def check_update(changed: HostConfig, facts: HostFacts) -> Checked:
    """Check the limits of an existing container after a change of some (`docker update`).

    Raises:
        InvalidParameter: in Docker's words.
    """
    draft = Draft(changed)
    check_resources(draft, facts, update=True)
    return Checked(draft.host, draft.warnings)


def _check_host(host: HostConfig, facts: HostFacts, defaults: DaemonDefaults) -> None:
    if host.shm_size < 0:
        raise InvalidParameter("SHM size can not be less than 0")
    if not _MIN_OOM <= host.oom_score_adj <= _MAX_OOM:
        raise InvalidParameter(
            f"Invalid value {host.oom_score_adj}, range for oom score adj is [{_MIN_OOM}, {_MAX_OOM}]"
        )
    if host.isolation not in ("", "default"):
        raise InvalidParameter(f"invalid isolation ({host.isolation}): linux only supports 'default'")
    if host.storage_opt:
        raise System("--storage-opt is supported only for overlay over xfs with 'pquota' mount option")
    if host.annotations and "" in host.annotations:
        raise InvalidParameter("invalid Annotations: the empty string is not permitted as an annotation key")
    for names in (host.cap_add, host.cap_drop):
        normalize_capabilities(names or (), facts.capabilities)
    parse_device_rules(host.device_cgroup_rules or ())
    lower_ulimits(host.ulimits or (), defaults.ulimits)
    options = parse_security_options(host, defaults, facts)
    if options.seccomp not in ("", "unconfined", "builtin", "default"):
        parse_profile(options.seccomp)


def _warn(draft: Draft, facts: HostFacts) -> None:
    host = draft.host
    if not facts.ip_forwarding and host.network_mode not in ("host", "none"):
        draft.warnings.append("IPv4 forwarding is disabled. Networking will not work.")
    if host.network_mode == "host" and host.port_bindings:
        draft.warnings.append("Published ports are discarded when using host network mode")
    if not facts.capabilities >> CAPABILITY_NUMBERS["CAP_SYS_RESOURCE"] & 1:
        draft.warnings += _ulimits_out_of_reach(host, facts)


def _ulimits_out_of_reach(host: HostConfig, facts: HostFacts) -> list[str]:
    """Name the limits that init will only come near to."""
    warnings = []
    for limit in host.ulimits or ():
        own = facts.hard_limits.get(RLIMIT_NUMBERS[f"RLIMIT_{limit.name.upper()}"])
        if own is not None and (limit.hard == -1 or limit.hard > own):
            warnings.append(
                f"The engine lacks CAP_SYS_RESOURCE: ulimit {limit.name} is lowered to the engine's own of {own}."
            )
    return warnings
