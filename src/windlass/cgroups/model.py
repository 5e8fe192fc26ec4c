"""Control groups as the rest of the engine sees them: a driver that makes them, and one made.

Source: Linux Documentation/admin-guide/cgroup-v1/, Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from windlass.base.errors import System
from windlass.spec.resources import LinuxResources


class CgroupError(System):
    """The kernel refused to make, limit, kill or remove a control group; the message names the file."""


@dataclass(frozen=True, slots=True)
class CgroupHost:
    """What a host mounts.

    `controllers` maps a controller's name to its mount point on v1 (named hierarchies too, as `name=systemd`); on v2
    every controller maps to the one mount point. `hybrid` is v1 with an additional v2 tree at `unified`.
    """

    version: int
    root: str
    controllers: dict[str, str]
    hybrid: bool = False
    unified: str = ""

    def has(self, controller: str) -> bool:
        """Tell whether limits of `controller` can be set."""
        return controller in self.controllers


@dataclass(frozen=True, slots=True)
class CgroupMount:
    """A directory of the container's cgroup, to be seen at `/sys/fs/cgroup/<name>` (v2: empty name) inside.

    `aliases` are more names of the same hierarchy (`cpu` and `cpuacct` of `cpu,cpuacct`).
    """

    name: str
    source: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CpuStats:
    """CPU time in nanoseconds, throttling counted in periods and nanoseconds."""

    usage_ns: int = 0
    user_ns: int = 0
    system_ns: int = 0
    periods: int = 0
    throttled_periods: int = 0
    throttled_ns: int = 0
    per_cpu_ns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MemoryStats:
    """Memory in bytes; `limit` is 0 when there is none. `stat` are the kernel's own figures."""

    usage: int = 0
    max_usage: int = 0
    limit: int = 0
    failures: int = 0
    oom_kills: int = 0
    stat: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BlockEntry:
    """One figure of one block device; `op` is `read`, `write`, ..."""

    major: int
    minor: int
    op: str
    value: int


@dataclass(frozen=True, slots=True)
class CgroupStats:
    """Figures of one control group at one moment."""

    cpu: CpuStats = CpuStats()
    memory: MemoryStats = field(default_factory=MemoryStats)
    pids: int = 0
    pids_limit: int = 0
    block_bytes: tuple[BlockEntry, ...] = ()
    block_operations: tuple[BlockEntry, ...] = ()


class Cgroup(Protocol):
    """One container's control group, in as many hierarchies as the host mounts."""

    @property
    def name(self) -> str:
        """Path below the hierarchies' roots, without a leading slash."""
        ...

    def join_files(self) -> list[str]:
        """Files to which a process with one thread writes `0` to enter."""
        ...

    def mounts(self) -> tuple[CgroupMount, ...]:
        """Directories that a container may see as its own."""
        ...

    def oom_event_path(self) -> str:
        """The file with an `oom_kill` counter; empty without a memory controller."""
        ...

    def update(self, resources: LinuxResources) -> None:
        """Change the limits that `resources` says; the others stay.

        Raises:
            CgroupError: the kernel refused a value.
        """
        ...

    def processes(self) -> list[int]:
        """Host pids of its processes, those of child groups included."""
        ...

    def kill_all(self) -> None:
        """Send SIGKILL to every process, those born meanwhile included; returns when no new one can appear."""
        ...

    def set_frozen(self, frozen: bool) -> None:
        """Stop or resume every process; returns when it is so."""
        ...

    def stats(self) -> CgroupStats:
        """Read the figures."""
        ...

    def remove(self) -> None:
        """Remove it and its child groups; no process may be left. What is gone already is fine.

        Raises:
            CgroupError: processes are left and do not go away.
        """
        ...


class CgroupDriver(Protocol):
    """Makes control groups of one host."""

    @property
    def host(self) -> CgroupHost:
        """What the host mounts."""
        ...

    def ensure_parent(self, parent: str) -> None:
        """Make the group that holds the containers' (`windlass`) and let its children have controllers."""
        ...

    def create(self, name: str, resources: LinuxResources) -> tuple[Cgroup, Sequence[str]]:
        """Make the group `name` (`windlass/<id>`) with its limits, before anybody is in it.

        Returns the group and warnings about limits that this host cannot enforce, in Docker's words.

        Raises:
            CgroupError: the kernel refused; nothing is left behind.
        """
        ...

    def open(self, name: str) -> Cgroup:
        """Return the group `name`, which an earlier engine made."""
        ...
