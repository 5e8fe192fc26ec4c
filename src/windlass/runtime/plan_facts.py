"""What a launch plan needs to know beside the specification: what was made for this one start."""

from __future__ import annotations

from dataclasses import dataclass

from windlass.cgroups.model import CgroupMount
from windlass.spec.plan import BindRoot, OverlayRoot


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """Facts of one start.

    `root` mounts the root file system. `netns_fd` is the index, among the descriptors passed with the plan, of a
    network namespace made beforehand; -1 when there is none. `host_capabilities` is the mask that the engine itself
    has. `wait_start` holds the process before its exec until it is told to go (OCI `create`). `make_cwd` makes a
    missing working directory, as Docker does.
    """

    root: OverlayRoot | BindRoot
    cgroup_version: int = 2
    cgroup_files: tuple[str, ...] = ()
    cgroup_mounts: tuple[CgroupMount, ...] = ()
    netns_fd: int = -1
    seccomp_program: bytes | None = None
    host_capabilities: int = (1 << 41) - 1
    wait_start: bool = False
    kcore: bool = True
    make_cwd: bool = True
