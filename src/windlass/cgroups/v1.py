"""A container's group of cgroup v1: one directory per mounted hierarchy.

A container is in every hierarchy that the host mounts, so that limits, figures and isolation are all there. A process
joins by writing `0` to the `tasks` files itself; a pid that is written from outside takes a lock for 10 ms each.

Source: Documentation/admin-guide/cgroup-v1/cgroups.rst.
"""

from __future__ import annotations

import os

from windlass.base.errors import InvalidParameter
from windlass.cgroups import control, processes, v1_limits
from windlass.cgroups.check import check_resources
from windlass.cgroups.model import NOTHING, CgroupError, CgroupMount
from windlass.cgroups.names import sub_path
from windlass.cgroups.settings import write_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from windlass.cgroups.figures import CgroupStats
    from windlass.cgroups.journal import Journal
    from windlass.cgroups.model import CgroupHost, MissingLimit
    from windlass.cgroups.settings import Setting
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

    def directory(self, controller: str) -> str:
        """The directory in the controller's hierarchy; empty when it is not mounted."""
        point = self._host.controllers.get(controller)
        return f"{point}/{self._name}" if point else ""

    def path(self, controller: str, file: str) -> str:
        """Name a control file, wherever the controller is mounted."""
        return f"{self.directory(controller) or '/nonexistent'}/{file}"

    def exists(self) -> bool:
        """Tell whether one of the directories is there."""
        return any(map(os.path.isdir, self.directories()))

    def join_files(self, below: Mapping[str, str] = NOTHING, init_pid: int = 0) -> list[str]:
        """The `tasks` files: written by the only thread of a process, they cost 0.1 ms each at most.

        Every group of v1 may have processes, so `init_pid` makes no difference.
        """
        points = dict.fromkeys(self._host.controllers.values(), below.get("", ""))
        for controller, path in below.items():
            if controller and controller not in self._host.controllers:
                raise InvalidParameter(f"invalid --cgroup argument: unknown controller {controller}")
            if controller:
                points[self._host.controllers[controller]] = path
        directories = [sub_path(f"{point}/{self._name}", path) for point, path in points.items()]
        if below and (absent := [directory for directory in directories if not os.path.isdir(directory)]):
            raise InvalidParameter(f"invalid --cgroup argument: {absent[0]} does not exist")
        return [f"{directory}/tasks" for directory in directories]

    def add_process(self, pid: int) -> None:
        """Write the pid everywhere."""
        for directory in self.directories():
            processes.add_process(directory, pid)

    def settle(self) -> None:
        """Nothing to do."""

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
        return self.path("memory", "memory.oom_control") if "memory" in self._host.controllers else ""

    def settings(self, resources: LinuxResources, *, fresh: bool) -> tuple[Setting, ...]:
        """Check `resources` and list its limits."""
        check_resources(resources)
        return tuple(v1_limits.settings(resources, fresh=fresh))

    def apply(self, resources: LinuxResources) -> tuple[MissingLimit, ...]:
        """Write all limits into a fresh group; without device rules, only the default devices are allowed."""
        missing = self.write(self.settings(resources, fresh=True))
        if directory := self.directory("devices"):
            from windlass.cgroups import v1_devices

            v1_devices.restrict(directory, resources.devices)
        return missing

    def update(self, resources: LinuxResources, then: Callable[[], None] | None = None) -> tuple[MissingLimit, ...]:
        """Change limits of a group in use; device rules are exchanged without a window (class of CVE-2021-20291).

        `then` tells somebody who may write to the files as well; what they say is written again after it.
        """
        from windlass.cgroups.journal import Journal

        settings = self.settings(resources, fresh=False)
        journal = Journal()
        try:
            missing = self.write(settings, journal)
            if then is not None:
                then()
                self.write(settings)
            if resources.devices and (directory := self.directory("devices")):
                from windlass.cgroups import v1_devices

                v1_devices.replace(directory, resources.devices, self._stopping())
        except BaseException:
            journal.undo()
            raise
        return missing

    def write(self, settings: Iterable[Setting], journal: Journal | None = None) -> tuple[MissingLimit, ...]:
        """Write settings; returns those that this host cannot enforce."""
        try:
            return tuple(write_settings(settings, self.directory, journal))
        except CgroupError as error:
            raise v1_limits.explain(error) from error.__cause__

    def processes(self) -> list[int]:
        """Pids by the first hierarchy; they are the same in all."""
        directories = self.directories()
        return processes.list_processes(directories[0]) if directories else []

    def kill_all(self) -> None:
        """Freeze so that nobody forks, kill, thaw so that they die; without a freezer, round after round."""
        freezer = self.directory("freezer")
        frozen = bool(freezer) and self._freeze_bounded()
        try:
            if frozen:
                processes.kill_listed(freezer)
        finally:
            if freezer:
                self._set_state("THAWED")
        if not frozen and (directories := self.directories()):
            processes.kill_until_empty(directories[0])

    def set_frozen(self, frozen: bool) -> None:
        """Stop or resume.

        Raises:
            CgroupError: no freezer, or a process that cannot be stopped; then everything runs again.
        """
        if not self.directory("freezer"):
            raise CgroupError("cgroup: the freezer controller is not mounted")
        if not frozen:
            self._set_state("THAWED")
        elif not self._freeze_bounded():
            self._set_state("THAWED")
            raise CgroupError(f"unable to freeze {self._name}")

    def is_frozen(self) -> bool:
        """Look at the freezer; one that is still freezing counts."""
        return control.read(self.path("freezer", "freezer.state")).strip() in ("FROZEN", "FREEZING")

    def _stopping(self) -> Callable[[], AbstractContextManager[None]]:
        """Return what stops the processes for the time of a `with`; where they are stopped already, they stay so."""
        from contextlib import contextmanager

        @contextmanager
        def stopped() -> Iterator[None]:
            if not self.directory("freezer") or self.is_frozen():
                yield
                return
            self.set_frozen(True)
            try:
                yield
            finally:
                self._set_state("THAWED")

        return stopped

    def _freeze_bounded(self) -> bool:
        """Freeze; a process in the middle of a fork is missed by one write, so it is repeated."""
        import time

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

    def stats(self, *, everything: bool = False) -> CgroupStats:
        """Read the figures."""
        from windlass.cgroups.v1_stats import read_stats

        return read_stats(self.directory, everything=everything)

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
