"""The driver of cgroup v1: one directory per mounted hierarchy.

A container is in every hierarchy that the host mounts, so that limits, figures and isolation are all there. A process
joins by writing `0` to the `tasks` files itself; nothing here writes a pid, which would take a lock for 10 ms.

Source: Documentation/admin-guide/cgroup-v1/cgroups.rst.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence

from windlass.cgroups import control, processes, v1_limits
from windlass.cgroups.missing import missing_warnings
from windlass.cgroups.model import CgroupError, CgroupHost, CgroupMount, CgroupStats
from windlass.cgroups.names import clean_name
from windlass.cgroups.v1_stats import read_stats
from windlass.spec.resources import LinuxResources

_FREEZE_TIMEOUT_S = 2.0
_FREEZE_PAUSE_S = 0.001


class V1Cgroup:
    """One container's directories; implements `Cgroup`."""

    def __init__(self, host: CgroupHost, name: str) -> None:
        self._host = host
        self._name = name

    @property
    def name(self) -> str:
        """Path below the hierarchies' roots."""
        return self._name

    def directories(self) -> list[str]:
        """One directory per hierarchy, without repetition."""
        return [f"{point}/{self._name}" for point in dict.fromkeys(self._host.controllers.values())]

    def path(self, controller: str, file: str) -> str:
        """Name a control file, wherever the controller is mounted."""
        point = self._host.controllers.get(controller, "/nonexistent")
        return f"{point}/{self._name}/{file}"

    def join_files(self) -> list[str]:
        """The `tasks` files: written by the only thread of a process, they cost 0.1 ms each at most."""
        return [f"{directory}/tasks" for directory in self.directories()]

    def mounts(self) -> tuple[CgroupMount, ...]:
        """One directory per hierarchy, named as the host's mount points."""
        found: dict[str, list[str]] = {}
        for controller, point in self._host.controllers.items():
            found.setdefault(point, []).append(controller.removeprefix("name="))
        mounts = []
        for point, controllers in found.items():
            base = os.path.basename(point)
            aliases = tuple(name for name in controllers if name != base)
            mounts.append(CgroupMount(base, f"{point}/{self._name}", aliases))
        return tuple(mounts)

    def oom_event_path(self) -> str:
        """memory.oom_control, which has the `oom_kill` counter."""
        return self.path("memory", "memory.oom_control") if self._host.has("memory") else ""

    def update(self, resources: LinuxResources) -> None:
        """Change limits of a group in use; device rules are kept (CVE-2021-20291 class: never reopened meanwhile)."""
        if resources.memory is not None and self._host.has("memory"):
            v1_limits.write_memory(os.path.dirname(self.path("memory", "-")), resources.memory)
        self._write(v1_limits.settings(resources))

    def apply(self, resources: LinuxResources) -> None:
        """Write all limits into a fresh group."""
        self.update(resources)
        self._write(v1_limits.device_settings(resources))

    def _write(self, settings: Iterable[v1_limits.Setting]) -> None:
        for controller, file, text in settings:
            if self._host.has(controller):
                self._write_one(controller, file, text)

    def _write_one(self, controller: str, file: str, text: str) -> None:
        path = self.path(controller, file)
        if file.startswith("blkio.bfq.") and not os.path.exists(path):
            # Before BFQ the files had no prefix; a kernel with neither was warned about.
            path = self.path(controller, file.replace("bfq.", ""))
            if not os.path.exists(path):
                return
        control.write(path, text)

    def processes(self) -> list[int]:
        """Pids by the first hierarchy; they are the same in all."""
        directories = self.directories()
        return processes.list_processes(directories[0]) if directories else []

    def kill_all(self) -> None:
        """Freeze so that nobody forks, kill, thaw so that they die; without a freezer, round after round."""
        frozen = self._host.has("freezer") and self._freeze_bounded()
        try:
            if frozen:
                processes.kill_listed(os.path.dirname(self.path("freezer", "-")))
        finally:
            if self._host.has("freezer"):
                self._set_state("THAWED")
        if not frozen and (directories := self.directories()):
            processes.kill_until_empty(directories[0])

    def set_frozen(self, frozen: bool) -> None:
        """Stop or resume.

        Raises:
            CgroupError: no freezer, or a process that cannot be stopped; then everything runs again.
        """
        if not self._host.has("freezer"):
            raise CgroupError("cgroup: the freezer controller is not mounted")
        if not frozen:
            self._set_state("THAWED")
        elif not self._freeze_bounded():
            self._set_state("THAWED")
            raise CgroupError(f"unable to freeze {self._name}")

    def _freeze_bounded(self) -> bool:
        """Freeze; a process in the middle of a fork is missed by one write, so it is repeated."""
        deadline = time.monotonic() + _FREEZE_TIMEOUT_S
        while True:
            self._set_state("FROZEN")
            state = control.read(self.path("freezer", "freezer.state")).strip()
            if state in ("FROZEN", ""):
                return state == "FROZEN"
            if time.monotonic() > deadline:
                return False
            time.sleep(_FREEZE_PAUSE_S)

    def _set_state(self, state: str) -> None:
        path = self.path("freezer", "freezer.state")
        if os.path.exists(path):
            control.write(path, state)

    def stats(self) -> CgroupStats:
        """Read the figures."""
        return read_stats(self.path)

    def remove(self) -> None:
        """Remove all directories; tries every hierarchy before it complains."""
        failure: CgroupError | None = None
        for directory in self.directories():
            try:
                processes.remove_tree(directory)
            except CgroupError as error:
                failure = failure or error
        if failure is not None:
            raise failure


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
        for directory in V1Cgroup(self._host, parent).directories():
            _make_directories(directory)
        if point := self._host.controllers.get("cpuset"):
            _inherit_cpuset(point, parent)

    def create(self, name: str, resources: LinuxResources) -> tuple[V1Cgroup, Sequence[str]]:
        """Make the directories and write the limits."""
        cgroup = V1Cgroup(self._host, clean_name(name))
        made: list[str] = []
        try:
            for directory in cgroup.directories():
                self._make(directory, cgroup.name)
                made.append(directory)
            if "/" not in cgroup.name and (point := self._host.controllers.get("cpuset")):
                # Without a parent of ours nobody has filled in its processors, and nobody could enter it.
                _inherit_cpuset(point, cgroup.name)
            cgroup.apply(resources)
        except BaseException:
            for directory in made:
                processes.remove_tree(directory)
            raise
        return cgroup, missing_warnings(self._host, resources)

    def _make(self, directory: str, name: str) -> None:
        try:
            os.mkdir(directory)
        except FileExistsError:
            # Left by an engine that was killed between start and record: empty, or the caller would know it.
            processes.remove_tree(directory)
            os.mkdir(directory)
        except FileNotFoundError:
            self.ensure_parent(os.path.dirname(name) or name)
            os.makedirs(directory, exist_ok=True)
        except OSError as error:
            raise CgroupError(f"failed to create {directory}: {(error.strerror or '').lower()}") from error

    def open(self, name: str) -> V1Cgroup:
        """Return a group made earlier."""
        return V1Cgroup(self._host, clean_name(name))


def _make_directories(directory: str) -> None:
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        raise CgroupError(f"failed to create {directory}: {(error.strerror or '').lower()}") from error


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
