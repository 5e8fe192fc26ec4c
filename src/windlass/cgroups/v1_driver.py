"""Making groups in all hierarchies of cgroup v1.

Source: Documentation/admin-guide/cgroup-v1/cgroups.rst, cpusets.rst.
"""

from __future__ import annotations

import os

from windlass.cgroups import control, processes
from windlass.cgroups.missing import limit_or_undo, missing_controllers
from windlass.cgroups.names import clean_name
from windlass.cgroups.v1 import V1Cgroup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.cgroups.model import CgroupHost, MissingLimit
    from windlass.spec.resources import LinuxResources


class V1Driver:
    """Makes groups in all mounted hierarchies; implements `CgroupDriver`."""

    def __init__(self, host: CgroupHost) -> None:
        self._host = host

    @property
    def host(self) -> CgroupHost:
        """What the host mounts."""
        return self._host

    def ensure_parent(self, parent: str) -> None:
        """Make the parent everywhere; its children take over the parent's CPUs and memory nodes when made."""
        parent = clean_name(parent)
        for point in dict.fromkeys(self._host.controllers.values()):
            above = point
            for part in parent.split("/"):
                above = f"{above}/{part}"
                control.make_directory(above, exist_ok=True)
        if point := self._host.controllers.get("cpuset", ""):
            _inherit_cpuset(point, parent)

    def missing(self, resources: LinuxResources) -> tuple[MissingLimit, ...]:
        """Compare with what is mounted."""
        return missing_controllers(self._host, self.group("-").settings(resources, fresh=True))

    def create(self, name: str, resources: LinuxResources, *, strict: bool = False) -> tuple[V1Cgroup, Sequence[str]]:
        """Make the directories and write the limits."""
        cgroup = self.group(clean_name(name))
        # What is wrong in itself is refused before anything is there.
        cgroup.settings(resources, fresh=True)
        self._make_all(cgroup)

        def limit() -> tuple[MissingLimit, ...]:
            if point := self._host.controllers.get("cpuset"):
                _inherit_cpuset_if_empty(point, cgroup.name)
            return cgroup.apply(resources)

        return cgroup, limit_or_undo(limit, cgroup.remove, strict=strict)

    def adopt(self, name: str, resources: LinuxResources) -> tuple[MissingLimit, ...]:
        """Make the directories that somebody else, who made some of them for us, has not, and write the limits.

        Raises:
            CgroupError: the kernel refused; the directories are still there.
        """
        self.ensure_parent(name)
        return self.open(name).apply(resources)

    def _make_all(self, cgroup: V1Cgroup) -> None:
        made: list[str] = []
        try:
            for directory in cgroup.directories():
                self._make(directory, cgroup.name)
                made.append(directory)
        except BaseException:
            for directory in made:
                processes.remove_tree(directory)
            raise

    def _make(self, directory: str, name: str) -> None:
        if not os.path.isdir(os.path.dirname(directory)):
            self.ensure_parent(os.path.dirname(name))
        try:
            os.mkdir(directory)
        except FileExistsError:
            # Left by an engine that was killed between start and record: empty, or somebody else's.
            processes.refuse_if_used(directory)
            processes.remove_tree(directory)
            control.make_directory(directory)
        except OSError:
            control.make_directory(directory)

    def group(self, name: str) -> V1Cgroup:
        """Return the group of a clean name."""
        return V1Cgroup(self._host, name)

    def open(self, name: str) -> V1Cgroup:
        """Return a group made earlier."""
        return self.group(clean_name(name))


def _inherit_cpuset_if_empty(point: str, name: str) -> None:
    """Parents of ours let their children copy their lists at birth; others' parents do not, and nobody could enter."""
    if (
        not control.read(f"{point}/{name}/cpuset.cpus").strip()
        or not control.read(f"{point}/{name}/cpuset.mems").strip()
    ):
        _inherit_cpuset(point, name)


def _inherit_cpuset(point: str, name: str) -> None:
    """Fill empty CPU and node lists from the top down, and let children copy theirs at birth."""
    above = point
    for part in name.split("/"):
        here = f"{above}/{part}"
        for file in ("cpuset.cpus", "cpuset.mems"):
            if not control.read(f"{here}/{file}").strip():
                control.write(f"{here}/{file}", control.read(f"{above}/{file}").strip())
        control.write(f"{here}/cgroup.clone_children", "1")
        above = here
