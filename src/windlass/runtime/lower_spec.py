"""First lowering: from what a user wants to what a runtime is told.

A pure function: no host is looked at, nothing is made. The result is an OCI runtime specification with one extension,
the unresolved user (see `windlass.spec.runtime.User`).
"""

from __future__ import annotations

import posixpath

from windlass.base.errors import InvalidParameter
from windlass.runtime.capabilities import container_capabilities
from windlass.runtime.devices import lower_devices
from windlass.runtime.environment import container_environment
from windlass.runtime.init_program import below_init, init_mounts
from windlass.runtime.intent import DEFAULT_CGROUP_PARENT, ContainerIntent, DaemonDefaults, MountPoint
from windlass.runtime.mounts import lower_mounts, masked_paths, readonly_paths
from windlass.runtime.namespaces import lower_namespaces
from windlass.runtime.resources import lower_resources
from windlass.runtime.rlimits import lower_ulimits
from windlass.runtime.security import SecurityOptions, lower_seccomp, parse_security_options
from windlass.runtime.sysctls import check_sysctls, lower_sysctls
from windlass.spec.runtime import (
    OCI_VERSION,
    Capabilities,
    ConsoleSize,
    Linux,
    Namespace,
    Process,
    Root,
    RuntimeSpec,
    User,
)

# From the widest to the narrowest: the first that a mount asks for decides about the root's.
_SHARED = frozenset({"shared", "rshared"})
_SLAVE = frozenset({"slave", "rslave"})
DEFAULT_SLICE = "system.slice"
_SCOPE_PREFIX = "windlass"


def lower_container(intent: ContainerIntent) -> RuntimeSpec:
    """Return the specification of `intent`.

    Raises:
        InvalidParameter: the configuration is malformed or contradicts itself, in Docker's words.
        NotSupported: it asks for what this engine does not have.
    """
    host = intent.host_config
    security = parse_security_options(host, intent.defaults, intent.facts)
    capabilities = container_capabilities(
        host.cap_add, host.cap_drop, privileged=host.privileged, available=intent.facts.capabilities
    )
    uts_is_private = host.uts_mode != "host"
    return RuntimeSpec(
        oci_version=OCI_VERSION,
        process=_process(intent, security, capabilities),
        root=Root(intent.root_path, host.readonly_rootfs),
        hostname=intent.config.hostname if uts_is_private else "",
        domainname=intent.config.domainname if uts_is_private else "",
        mounts=[*lower_mounts(intent, security), *init_mounts(intent)],
        annotations=host.annotations or {},
        linux=_linux(intent, security, capabilities),
    )


def cgroup_name(intent: ContainerIntent) -> str:
    """Return the name of the container's control group, as `group_name`."""
    return group_name(intent.host_config.cgroup_parent, intent.defaults, intent.id)


def group_name(parent: str, defaults: DaemonDefaults, container_id: str) -> str:
    """Return the name of a control group: its parent and the container's id; systemd's are `slice:prefix:id`.

    Raises:
        InvalidParameter: the parent is no slice, where systemd makes the groups.
    """
    parent = parent or defaults.cgroup_parent
    if not defaults.systemd_cgroups:
        return f"{(parent or DEFAULT_CGROUP_PARENT).strip('/')}/{container_id}"
    parent = parent or DEFAULT_SLICE
    if "/" in parent or not parent.endswith(".slice"):
        raise InvalidParameter('cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"')
    return f"{parent}:{_SCOPE_PREFIX}:{container_id}"


def _process(intent: ContainerIntent, security: SecurityOptions, capabilities: list[str]) -> Process:
    config, host = intent.config, intent.host_config
    if not intent.args:
        raise InvalidParameter("no command specified")
    return Process(
        cwd=working_directory(config.working_dir),
        args=below_init(intent),
        env=container_environment(config),
        terminal=config.tty,
        console_size=_console_size(intent) if config.tty else None,
        user=User(username=config.user or "0", additional_groups=host.group_add or []),
        # Inheritable stays empty: what is in it survives a change of user through file capabilities (CVE-2022-24769).
        capabilities=Capabilities(bounding=capabilities, effective=capabilities, permitted=capabilities),
        rlimits=lower_ulimits(host.ulimits or (), intent.defaults.ulimits),
        no_new_privileges=security.no_new_privileges,
        oom_score_adj=host.oom_score_adj,
        apparmor_profile=security.apparmor,
    )


def working_directory(path: str) -> str:
    """Return the clean working directory, `/` by default.

    Raises:
        InvalidParameter: it is relative.
    """
    if not path:
        return "/"
    if not path.startswith("/"):
        raise InvalidParameter(f"the working directory '{path}' is invalid, it needs to be an absolute path")
    return "/" + posixpath.normpath(path).lstrip("/")


def _console_size(intent: ContainerIntent) -> ConsoleSize | None:
    size = intent.host_config.console_size
    return ConsoleSize(*size) if size and len(size) == 2 and any(size) else None


def _linux(intent: ContainerIntent, security: SecurityOptions, capabilities: list[str]) -> Linux:
    devices, rules = lower_devices(intent)
    namespaces = lower_namespaces(intent)
    sysctl = lower_sysctls(intent)
    check_sysctls(sysctl, own_namespaces(namespaces))
    return Linux(
        uid_mappings=intent.user_namespace.uids,
        gid_mappings=intent.user_namespace.gids,
        sysctl=sysctl,
        resources=lower_resources(intent, rules),
        cgroups_path=("" if intent.defaults.systemd_cgroups else "/") + cgroup_name(intent),
        namespaces=namespaces,
        devices=devices,
        seccomp=lower_seccomp(intent, security, capabilities),
        rootfs_propagation=_root_propagation(intent.mounts),
        masked_paths=masked_paths(intent, security),
        readonly_paths=readonly_paths(intent, security),
    )


def own_namespaces(namespaces: list[Namespace]) -> frozenset[str]:
    """Return the types that are not the host's."""
    return frozenset(namespace.type for namespace in namespaces)


def _root_propagation(mounts: list[MountPoint]) -> str:
    """The root must not close what a mount leaves open: shared mounts need a shared root, slaves a slave."""
    asked = {mount.propagation for mount in mounts if mount.type == "bind"}
    if asked & _SHARED:
        return "shared"
    return "rslave" if asked & _SLAVE else ""
