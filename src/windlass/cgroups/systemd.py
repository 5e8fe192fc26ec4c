"""The systemd driver: a container's group is a transient scope, delegated to us.

systemd makes the scope with the limits that it knows as properties; we write all limits to the files, as the other
drivers do, with the device filter. The scope's life is systemd's: it ends when it is empty or stopped.

Source: systemd's "Control Group APIs and Delegation"; systemd.scope(5), systemd.resource-control(5).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from windlass.base.errors import Unavailable
from windlass.cgroups import processes
from windlass.cgroups.missing import limit_or_undo
from windlass.cgroups.model import NOTHING, CgroupError
from windlass.cgroups.systemd_bus import BusError, SystemdBus, connect
from windlass.cgroups.systemd_holder import Holder
from windlass.cgroups.systemd_names import UnitName, expand_slice, unit_name
from windlass.cgroups.systemd_properties import properties

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from windlass.cgroups.figures import CgroupStats
    from windlass.cgroups.model import CgroupHost, CgroupMount, MissingLimit
    from windlass.cgroups.systemd_bus import Property
    from windlass.cgroups.v1 import V1Cgroup
    from windlass.cgroups.v1_driver import V1Driver
    from windlass.cgroups.v2 import V2Cgroup
    from windlass.cgroups.v2_driver import V2Driver
    from windlass.spec.resources import LinuxResources

_RUNNING = "/run/systemd/system"
_ERROR = "org.freedesktop.systemd1."


class SystemdCgroup:
    """The scope of one container and its directories; implements `Cgroup`."""

    def __init__(
        self, inner: V1Cgroup | V2Cgroup, unit: str, driver: SystemdDriver, holder: Holder | None = None
    ) -> None:
        self._inner = inner
        self._unit = unit
        self._driver = driver
        self._holder = holder

    @property
    def name(self) -> str:
        """Path below the hierarchies' roots, which ends in the unit's name."""
        return self._inner.name

    def exists(self) -> bool:
        """Tell whether one of the directories is there."""
        return self._inner.exists()

    def join_files(self, below: Mapping[str, str] = NOTHING, init_pid: int = 0) -> list[str]:
        """Those of the directories, and last, for the first to enter, what lets the one go that keeps the place."""
        files = self._inner.join_files(below, init_pid)
        return files if self._holder is None or below else [*files, self._holder.join_file]

    def add_process(self, pid: int) -> None:
        """Write the pid."""
        self._inner.add_process(pid)

    def settle(self) -> None:
        """End the process that keeps the scope alive, if it has not ended yet."""
        if self._holder is not None:
            self._holder.release()
            self._holder = None

    def mounts(self) -> tuple[CgroupMount, ...]:
        """Those of the directories."""
        return self._inner.mounts()

    def oom_event_path(self) -> str:
        """That of the directories."""
        return self._inner.oom_event_path()

    def update(self, resources: LinuxResources) -> tuple[MissingLimit, ...]:
        """Write the files, which take back what is refused, and tell systemd, which would undo it one day.

        On v1, systemd writes device rules with a moment in which nothing is allowed: the processes stand still then.
        """
        stop = bool(resources.devices) and not self._driver.is_v2 and not self._inner.is_frozen()
        if stop:
            self._inner.set_frozen(True)
        try:
            return self._inner.update(resources, lambda: self._tell(resources))
        finally:
            if stop:
                self._inner.set_frozen(False)

    def _tell(self, resources: LinuxResources) -> None:
        with self._driver.connect() as bus:
            if changes := properties(resources, v2=self._driver.is_v2, version=bus.version()):
                bus.set_unit_properties(self._unit, changes)

    def processes(self) -> list[int]:
        """Host pids, without the process that keeps the scope alive."""
        holder = self._holder.pid if self._holder is not None else 0
        return [pid for pid in self._inner.processes() if pid != holder]

    def kill_all(self) -> None:
        """Kill all."""
        self._inner.kill_all()

    def set_frozen(self, frozen: bool) -> None:
        """Stop or resume."""
        self._inner.set_frozen(frozen)

    def is_frozen(self) -> bool:
        """Look at the freezer."""
        return self._inner.is_frozen()

    def stats(self, *, everything: bool = False) -> CgroupStats:
        """Read the figures."""
        return self._inner.stats(everything=everything)

    def remove(self) -> None:
        """Stop the scope, let systemd forget it, and remove what is left of the directories."""
        self.settle()
        with self._driver.connect() as bus:
            for step in (bus.stop_unit, bus.reset_failed_unit):
                try:
                    step(self._unit)
                except BusError as error:
                    if error.error_name != f"{_ERROR}NoSuchUnit":
                        raise
        self._inner.remove()


class SystemdDriver:
    """Makes scopes; implements `CgroupDriver`. Names are `slice:prefix:name`, or the paths that come of them."""

    def __init__(
        self,
        host: CgroupHost,
        plain: V1Driver | V2Driver,
        connect: Callable[[], SystemdBus] = connect,
        running: str = _RUNNING,
    ) -> None:
        if not os.path.isdir(running):
            raise Unavailable("systemd not running on this host, cannot use systemd cgroups manager")
        self._host = host
        self._plain = plain
        self.connect = connect
        self.is_v2 = host.version == 2

    @property
    def host(self) -> CgroupHost:
        """What the host mounts."""
        return self._host

    def ensure_parent(self, parent: str) -> None:
        """Check the name; systemd makes slices when something is in them."""
        expand_slice(parent.strip("/").rpartition("/")[2])

    def missing(self, resources: LinuxResources) -> tuple[MissingLimit, ...]:
        """Compare with what is mounted."""
        return self._plain.missing(resources)

    def create(
        self, name: str, resources: LinuxResources, *, strict: bool = False
    ) -> tuple[SystemdCgroup, Sequence[str]]:
        """Start a scope with its limits. Whoever enters first writes to all `join_files`."""
        unit = unit_name(name)
        inner = self._plain.open(unit.path)
        # What is wrong in itself is refused before anything is there.
        inner.settings(resources, fresh=True)
        if inner.exists():
            for directory in inner.directories():
                processes.refuse_if_used(directory)
        holder = None if unit.unit.endswith(".slice") else Holder()
        cgroup = SystemdCgroup(inner, unit.unit, self, holder)
        try:
            self._start(unit, resources, holder)
        except BaseException:
            # The unit may be somebody else's, of the same name.
            cgroup.settle()
            raise
        return cgroup, limit_or_undo(lambda: self._plain.adopt(unit.path, resources), cgroup.remove, strict=strict)

    def _start(self, unit: UnitName, resources: LinuxResources, holder: Holder | None) -> None:
        with self.connect() as bus:
            wanted = _unit_properties(unit, holder, v2=self.is_v2)
            wanted += properties(resources, v2=self.is_v2, version=bus.version())
            try:
                bus.start_transient_unit(unit.unit, wanted)
            except BusError as error:
                if error.error_name != f"{_ERROR}UnitExists":
                    raise
                # One that failed earlier and was not forgotten; one that runs stays, and the second try fails.
                bus.reset_failed_unit(unit.unit)
                bus.start_transient_unit(unit.unit, wanted)
            path = bus.control_group(unit.unit).strip("/")
        if path != unit.path:
            raise CgroupError(f"systemd put {unit.unit} into /{path} instead of /{unit.path}")

    def open(self, name: str) -> SystemdCgroup:
        """Return a scope made earlier."""
        unit = unit_name(name)
        return SystemdCgroup(self._plain.open(unit.path), unit.unit, self)


def _unit_properties(unit: UnitName, holder: Holder | None, *, v2: bool) -> list[Property]:
    """What makes it a unit of ours; accounting everywhere, so that the figures are there."""
    if holder is None:
        own: list[Property] = [("Wants", ("as", [unit.slice]))]
    else:
        own = [("Slice", ("s", unit.slice)), ("Delegate", ("b", True)), ("PIDs", ("au", [holder.pid]))]
    return [
        ("Description", ("s", f"windlass container {unit.unit.rpartition('.')[0]}")),
        *own,
        ("CollectMode", ("s", "inactive-or-failed")),
        ("DefaultDependencies", ("b", False)),
        ("CPUAccounting", ("b", True)),
        ("MemoryAccounting", ("b", True)),
        ("TasksAccounting", ("b", True)),
        ("IOAccounting" if v2 else "BlockIOAccounting", ("b", True)),
    ]
