"""Making groups in the one tree of cgroup v2, controllers handed down from the root.

Source: Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import os

from windlass.cgroups import control, processes
from windlass.cgroups.delegation import hand_down_to, refuse_threaded
from windlass.cgroups.missing import limit_or_undo, missing_controllers
from windlass.cgroups.names import clean_name
from windlass.cgroups.v2 import V2Cgroup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.cgroups.model import CgroupHost, MissingLimit
    from windlass.spec.resources import LinuxResources


class V2Driver:
    """Makes groups in the one tree; implements `CgroupDriver`."""

    def __init__(self, host: CgroupHost) -> None:
        self._host = host

    @property
    def host(self) -> CgroupHost:
        """What the host mounts."""
        return self._host

    def ensure_parent(self, parent: str) -> None:
        """Make the parent and hand every controller down to its children."""
        hand_down_to(self._host, clean_name(parent))

    def missing(self, resources: LinuxResources) -> tuple[MissingLimit, ...]:
        """Compare with what the root has."""
        return missing_controllers(self._host, V2Cgroup(self._host, "-").settings(resources, fresh=True))

    def create(self, name: str, resources: LinuxResources, *, strict: bool = False) -> tuple[V2Cgroup, Sequence[str]]:
        """Make the directory and write the limits."""
        cgroup = V2Cgroup(self._host, clean_name(name))
        # What is wrong in itself is refused before anything is there.
        cgroup.settings(resources, fresh=True)
        self.make(cgroup)

        def limit() -> tuple[MissingLimit, ...]:
            refuse_threaded(cgroup.directory)
            return cgroup.apply(resources)

        return cgroup, limit_or_undo(limit, cgroup.remove, strict=strict)

    def make(self, cgroup: V2Cgroup) -> None:
        """Make the directory, which has every controller then.

        Raises:
            CgroupError: it is there and has processes, or the kernel refused.
        """
        hand_down_to(self._host, os.path.dirname(cgroup.name))
        try:
            os.mkdir(cgroup.directory)
        except FileExistsError:
            # Left by an engine that was killed between start and record: empty, or somebody else's.
            processes.refuse_if_used(cgroup.directory)
            cgroup.remove()
            control.make_directory(cgroup.directory)
        except OSError:
            control.make_directory(cgroup.directory)

    def adopt(self, name: str, resources: LinuxResources) -> tuple[MissingLimit, ...]:
        """Write the limits of a directory that somebody else has just made for us.

        Raises:
            CgroupError: the kernel refused; the directory is still there.
        """
        cgroup = self.open(name)
        refuse_threaded(cgroup.directory)
        cgroup.enable(cgroup.settings(resources, fresh=True))
        return cgroup.apply(resources)

    def open(self, name: str) -> V2Cgroup:
        """Return a group made earlier."""
        return V2Cgroup(self._host, clean_name(name))
