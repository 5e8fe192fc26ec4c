"""Control groups as the rest of the engine sees them: a driver that makes them, and one made.

Source: Linux Documentation/admin-guide/cgroup-v1/, Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

from windlass.base.errors import System
from windlass.spec import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from windlass.cgroups.figures import CgroupStats
    from windlass.spec.resources import LinuxResources
else:
    # typing takes milliseconds to import, and a cold runtime command has few.
    Protocol = object

NOTHING: Mapping[str, str] = {}


class CgroupError(System):
    """The kernel or systemd refused to make, limit, kill or remove a control group; the message names the file.

    `path`, `value` and `errno` are there when it was a file that refused a value.
    """

    def __init__(self, message: str, path: str = "", value: str = "", errno: int = 0) -> None:
        super().__init__(message)
        self.path = path
        self.value = value
        self.errno = errno


class CgroupHost(struct.Struct, frozen=True):
    """What a host mounts.

    `controllers` maps a controller's name to its mount point on v1 (named hierarchies too, as `name=systemd`); on v2
    every controller maps to the one mount point. `hybrid` is v1 with an additional v2 tree at `unified`, where the
    `unified_controllers` are that v1 has not.
    """

    version: int
    root: str
    controllers: dict[str, str]
    hybrid: bool = False
    unified: str = ""
    unified_controllers: tuple[str, ...] = ()

    def has(self, controller: str) -> bool:
        """Tell whether limits of `controller` can be set."""
        return controller in self.controllers or controller in self.unified_controllers


class CgroupMount(struct.Struct, frozen=True):
    """A directory of the container's cgroup, to be seen at `/sys/fs/cgroup/<name>` (v2: empty name) inside.

    `aliases` are more names of the same hierarchy (`cpu` and `cpuacct` of `cpu,cpuacct`).
    """

    name: str
    source: str
    aliases: tuple[str, ...] = ()


class MissingLimit(struct.Struct, frozen=True):
    """A limit that was asked for and that this host cannot enforce.

    `field` is its place below `/linux/resources` by JSON pointer (`/memory/limit`), `reason` says what is missing.
    """

    controller: str
    field: str
    reason: str


class Members(Protocol):
    """The processes of one container, as its control group holds them together."""

    def join_files(self, below: Mapping[str, str] = NOTHING, init_pid: int = 0) -> list[str]:
        """Files to which a process with one thread writes `0` to enter.

        `below` are groups inside of it by controller (see `sub_groups`), for one more process of a container. With
        `init_pid`, the container's first process, a group that may have no processes (v2: it has handed controllers
        down) is replaced by the one of that process.

        Raises:
            InvalidParameter: `below` names a controller that is not there, or leaves the group.
        """

    def add_process(self, pid: int) -> None:
        """Move process `pid` with all its threads here, from outside. Blocks: 10 ms per hierarchy on v1.

        Raises:
            CgroupError: there is no such process, or the kernel refused.
        """

    def settle(self) -> None:
        """Let go of what helped the first process to enter, when it is inside, for callers that live on themselves."""

    def processes(self) -> list[int]:
        """Host pids of its processes, those of child groups included."""

    def kill_all(self) -> None:
        """Send SIGKILL to every process, those born meanwhile included; returns when no new one can appear."""

    def set_frozen(self, frozen: bool) -> None:
        """Stop or resume every process; returns when it is so."""

    def is_frozen(self) -> bool:
        """Tell whether it was stopped by `set_frozen`."""


class Cgroup(Members, Protocol):
    """One container's control group, in as many hierarchies as the host mounts."""

    @property
    def name(self) -> str:
        """Path below the hierarchies' roots, without a leading slash."""

    def exists(self) -> bool:
        """Tell whether any of its directories is there."""

    def mounts(self) -> tuple[CgroupMount, ...]:
        """Directories that a container may see as its own."""

    def oom_event_path(self) -> str:
        """The file with an `oom_kill` counter; empty without a memory controller."""

    def update(self, resources: LinuxResources) -> tuple[MissingLimit, ...]:
        """Change the limits that `resources` says; the others stay. Without device rules, those stay as well.

        Returns what cannot be enforced here and was left out.

        Raises:
            InvalidParameter: a value out of range; nothing was written.
            CgroupError: the kernel refused a value; those written before have their old values again.
        """

    def stats(self, *, everything: bool = False) -> CgroupStats:
        """Read the figures: those that an engine shows every second, or all."""

    def remove(self) -> None:
        """Remove it and its child groups; no process may be left. What is gone already is fine, parents stay.

        Raises:
            CgroupError: processes are left and do not go away.
        """


class CgroupDriver(Protocol):
    """Makes control groups of one host."""

    @property
    def host(self) -> CgroupHost:
        """What the host mounts."""

    def ensure_parent(self, parent: str) -> None:
        """Make the group that holds the containers' (`windlass`) and let its children have controllers."""

    def missing(self, resources: LinuxResources) -> tuple[MissingLimit, ...]:
        """List what this host cannot enforce, before anything is made, by what is mounted."""

    def create(self, name: str, resources: LinuxResources, *, strict: bool = False) -> tuple[Cgroup, Sequence[str]]:
        """Make the group `name` (`windlass/<id>`) with its limits, before anybody is in it.

        Without device rules, only the default devices are allowed. Returns the group and warnings about limits that
        this host cannot enforce, in Docker's words; with `strict` these are an error.

        Raises:
            InvalidParameter: a value out of range; nothing was made.
            NotSupported: `strict`, and something cannot be enforced; nothing is left behind.
            CgroupError: the kernel refused, or the group is there and has processes; nothing is left behind.
        """

    def open(self, name: str) -> Cgroup:
        """Return the group `name`, which an earlier engine made."""
