"""What a launch plan needs to know beside the specification: what was made for this one start."""

from __future__ import annotations

from windlass.cgroups.model import CgroupMount
from windlass.spec import struct
from windlass.spec.plan import BindRoot, OverlayRoot

# Where init can be told to wait for the runtime (`windlass.launch.init_hooks`).
SYNC_NAMESPACES = "namespaces"
SYNC_PRESTART = "prestart"


class PlanFacts(struct.Struct, frozen=True):
    """Facts of one start.

    `root` mounts the root file system. `netns_fd` and `userns_fd` are indexes, among the descriptors passed with the
    plan, of namespaces made beforehand; -1 when there is none. `host_capabilities` is the mask that the engine itself
    has. `wait_start` holds the process before its exec until it is told to go (OCI `create`). `make_cwd` makes a
    missing working directory, as Docker does. `init` keeps an init of ours above the program (`--init`).

    `sync_points` are SYNC_* words. `state_creating` and `state_created` are the container's state as JSON without pid,
    for the hooks that init runs. `security_modules` are those of `apparmor` and `selinux` that the host has.
    """

    root: OverlayRoot | BindRoot
    cgroup_version: int = 2
    cgroup_files: tuple[str, ...] = ()
    cgroup_mounts: tuple[CgroupMount, ...] = ()
    netns_fd: int = -1
    userns_fd: int = -1
    seccomp_program: bytes | None = None
    host_capabilities: int = (1 << 41) - 1
    wait_start: bool = False
    kcore: bool = True
    make_cwd: bool = True
    init: bool = False
    no_pivot: bool = False
    preserve_fds: int = 0
    sync_points: frozenset[str] = frozenset()
    state_creating: str = "{}"
    state_created: str = "{}"
    security_modules: frozenset[str] = frozenset()
