"""Hosts with controllers of cgroup v1 and others in a v2 tree beside them.

A group is in the v2 tree only when a limit needs it: a process that enters there takes the lock that v1 avoids.
"""

from __future__ import annotations

import os

from windlass.cgroups.model import NOTHING, CgroupHost
from windlass.cgroups.v1 import V1Cgroup
from windlass.cgroups.v1_driver import V1Driver
from windlass.spec import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from windlass.cgroups.figures import CgroupStats
    from windlass.cgroups.journal import Journal
    from windlass.cgroups.model import MissingLimit
    from windlass.cgroups.settings import Setting
    from windlass.cgroups.v2 import V2Cgroup
    from windlass.spec.resources import LinuxResources

# Controllers that have another name on v2.
_RENAMED = {"blkio": "io"}
# Figures by the controller that measures them.
_FIGURES = {
    "cpu": ("cpu",),
    "cpuset": ("cpuset",),
    "hugetlb": ("hugetlb", "hugetlb_reserved"),
    "io": ("block",),
    "memory": ("memory",),
    "misc": ("misc",),
    "pids": ("pids", "pids_limit"),
    "rdma": ("rdma", "rdma_limits"),
}


class HybridCgroup(V1Cgroup):
    """Directories of v1 and, where needed, one of v2."""

    def __init__(self, host: CgroupHost, name: str) -> None:
        super().__init__(host, name)
        self._only_v2 = frozenset(host.unified_controllers)
        self._v2_directory = f"{host.unified}/{name}"

    def _part(self) -> V2Cgroup | None:
        """The v2 part, if there is one."""
        return self._v2() if os.path.isdir(self._v2_directory) else None

    def _v2(self) -> V2Cgroup:
        from windlass.cgroups.v2 import V2Cgroup

        root = self._host.unified
        return V2Cgroup(CgroupHost(2, root, dict.fromkeys(self._only_v2, root), unified=root), self.name)

    def join_files(self, below: Mapping[str, str] = NOTHING, init_pid: int = 0) -> list[str]:
        """The `tasks` files and, where there is one, the `cgroup.procs`."""
        files = super().join_files(below, init_pid)
        part = self._part()
        return files if part is None else [*files, *part.join_files(NOTHING, init_pid)]

    def add_process(self, pid: int) -> None:
        """Write the pid everywhere."""
        super().add_process(pid)
        if part := self._part():
            part.add_process(pid)

    def settings(self, resources: LinuxResources, *, fresh: bool) -> tuple[Setting, ...]:
        """List limits of v1 and, of the controllers that are only there, of v2."""
        settings = super().settings(struct.replace(resources, unified={}), fresh=fresh)
        first = [setting for setting in settings if not self._has_only_v2(setting.controller)]
        if len(first) == len(settings) and not resources.unified:
            return settings
        from windlass.cgroups import v2_limits

        second = v2_limits.settings(resources, "" if fresh else self._v2_directory)
        return (*first, *(setting for setting in second if self._is_for_v2(setting)))

    def _has_only_v2(self, controller: str) -> bool:
        return _RENAMED.get(controller, controller) in self._only_v2

    def _is_for_v2(self, setting: Setting) -> bool:
        return setting.controller in self._only_v2 or setting.field.startswith("/unified/")

    def write(self, settings: Iterable[Setting], journal: Journal | None = None) -> tuple[MissingLimit, ...]:
        """Write what v1 has, and make the v2 directory for the rest."""
        first: list[Setting] = []
        second: list[Setting] = []
        for setting in settings:
            (second if self._is_for_v2(setting) else first).append(setting)
        missing = super().write(first, journal)
        if not second:
            return missing
        part = self._v2()
        if not part.exists():
            from windlass.cgroups.v2_driver import V2Driver

            V2Driver(part.host).make(part)
        return (*missing, *part.write(second, journal))

    def stats(self, *, everything: bool = False) -> CgroupStats:
        """Read the figures of v1 and, of the controllers that are only there, of v2."""
        figures = super().stats(everything=everything)
        part = self._part()
        if part is None:
            return figures
        other = part.stats(everything=everything)
        names = [name for controller in self._only_v2 for name in _FIGURES.get(controller, ())]
        return struct.replace(figures, **{name: getattr(other, name) for name in names})

    def remove(self) -> None:
        """Remove the v2 directory, then the others."""
        if part := self._part():
            part.remove()
        super().remove()

    def exists(self) -> bool:
        """Tell whether one of the directories is there."""
        return super().exists() or os.path.isdir(self._v2_directory)


class HybridDriver(V1Driver):
    """Makes groups of v1 with a part in the v2 tree."""

    def group(self, name: str) -> V1Cgroup:
        """Return the group of a clean name."""
        return HybridCgroup(self._host, name)
