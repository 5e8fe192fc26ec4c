"""A container's group of cgroup v2: one directory in one tree.

Source: Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import errno
import os

from windlass.base.errors import InvalidParameter
from windlass.cgroups import control, processes, v2_limits
from windlass.cgroups.check import check_resources
from windlass.cgroups.model import NOTHING, CgroupError, CgroupMount, MissingLimit
from windlass.cgroups.names import sub_path
from windlass.cgroups.settings import write_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from windlass.cgroups.figures import CgroupStats
    from windlass.cgroups.journal import Journal
    from windlass.cgroups.model import CgroupHost
    from windlass.cgroups.settings import Setting
    from windlass.spec.resources import LinuxResources

_FREEZE_TIMEOUT_S = 5.0


class V2Cgroup:
    """One container's directory; implements `Cgroup`."""

    def __init__(self, host: CgroupHost, name: str) -> None:
        self._host = host
        self._name = name
        self.directory = f"{host.root}/{name}"

    @property
    def name(self) -> str:
        """Path below the tree's root."""
        return self._name

    @property
    def host(self) -> CgroupHost:
        """The tree and its controllers."""
        return self._host

    def directories(self) -> list[str]:
        """The one directory."""
        return [self.directory]

    def exists(self) -> bool:
        """Tell whether the directory is there."""
        return os.path.isdir(self.directory)

    def join_files(self, below: Mapping[str, str] = NOTHING, init_pid: int = 0) -> list[str]:
        """The one `cgroup.procs`."""
        for controller in below:
            if controller:
                raise InvalidParameter(f"invalid --cgroup argument: {controller}: cgroup v2 takes one path for all")
        directory = sub_path(self.directory, below.get("", ""))
        if below and not os.path.isdir(directory):
            raise InvalidParameter(f"invalid --cgroup argument: {directory} does not exist")
        if not below and init_pid and control.read(f"{directory}/cgroup.subtree_control").strip():
            directory = self._group_of(init_pid)
        return [f"{directory}/cgroup.procs"]

    def _group_of(self, pid: int) -> str:
        """The directory of a process, if it is below ours: the container chose it, and may lie."""
        _, _, rest = control.read(f"/proc/{pid}/cgroup").partition("0::/")
        directory = os.path.normpath(f"{self._host.root}/{rest.partition(chr(10))[0]}")
        return directory if directory.startswith(f"{self.directory}/") else self.directory

    def add_process(self, pid: int) -> None:
        """Write the pid."""
        processes.add_process(self.directory, pid)

    def settle(self) -> None:
        """Nothing to do."""

    def mounts(self) -> tuple[CgroupMount, ...]:
        """The directory itself, to be seen at /sys/fs/cgroup."""
        return (CgroupMount("", self.directory),)

    def oom_event_path(self) -> str:
        """memory.events, which has the `oom_kill` counter."""
        return f"{self.directory}/memory.events" if self._host.has("memory") else ""

    def settings(self, resources: LinuxResources, *, fresh: bool) -> tuple[Setting, ...]:
        """Check `resources` and list its limits."""
        check_resources(resources)
        return tuple(v2_limits.settings(resources, "" if fresh else self.directory))

    def apply(self, resources: LinuxResources) -> tuple[MissingLimit, ...]:
        """Write all limits into a fresh group; without device rules, only the default devices are allowed."""
        missing = self.write(self.settings(resources, fresh=True))
        self._restrict_devices(resources)
        return missing

    def update(self, resources: LinuxResources, then: Callable[[], None] | None = None) -> tuple[MissingLimit, ...]:
        """Change limits of a group in use; the device filter is exchanged in one step, last.

        `then` tells somebody who may write to the files as well; what they say is written again after it.
        """
        from windlass.cgroups.journal import Journal

        settings = self.settings(resources, fresh=False)
        if resources.memory is not None:
            v2_limits.check_usage(resources.memory, self.directory)
        self.enable(settings)
        journal = Journal()
        try:
            missing = self.write(settings, journal)
            if then is not None:
                then()
                self.write(settings)
            if resources.devices:
                self._restrict_devices(resources)
        except BaseException:
            journal.undo()
            raise
        return missing

    def _restrict_devices(self, resources: LinuxResources) -> None:
        if self._host.has("devices"):
            from windlass.cgroups import v2_devices

            v2_devices.restrict(self.directory, resources.devices)

    def enable(self, settings: Iterable[Setting]) -> None:
        """Hand controllers down that nobody needed when the group was made."""
        wanted = {setting.controller for setting in settings if self._host.has(setting.controller)}
        if wanted - set(control.read(f"{self.directory}/cgroup.controllers").split()):
            from windlass.cgroups.delegation import hand_down_to

            hand_down_to(self._host, os.path.dirname(self._name))

    def write(self, settings: Iterable[Setting], journal: Journal | None = None) -> tuple[MissingLimit, ...]:
        """Write settings; returns those that this host cannot enforce here.

        Raises:
            CgroupError: the kernel refused a value.
            InvalidParameter: a raw value of a file that does not exist.
        """
        missing = tuple(self._explain(limit) for limit in write_settings(settings, self._locate, journal))
        for limit in missing:
            if limit.field.startswith("/unified/"):
                key = limit.field.removeprefix("/unified/")
                raise InvalidParameter(f'unified resource "{key}" can\'t be set: {limit.reason}')
        return missing

    def _locate(self, controller: str) -> str:
        return self.directory if controller == "cgroup" or self._host.has(controller) else ""

    def _explain(self, limit: MissingLimit) -> MissingLimit:
        """Say why a controller of the host does not reach this group."""
        if not self._host.has(limit.controller):
            return limit
        if limit.controller in ("cgroup", *control.read(f"{self.directory}/cgroup.controllers").split()):
            return limit
        from windlass.cgroups.delegation import why_not_enabled

        return MissingLimit(limit.controller, limit.field, why_not_enabled(self._host, self._name, limit.controller))

    def processes(self) -> list[int]:
        """Pids of the group and those below."""
        return processes.list_processes(self.directory)

    def kill_all(self) -> None:
        """One write where the kernel has cgroup.kill (5.14), rounds of signals elsewhere."""
        path = f"{self.directory}/cgroup.kill"
        if os.path.exists(path):
            try:
                control.write(path, "1")
            except CgroupError as error:
                # systemd removes a group as soon as it is empty.
                if error.errno not in (errno.ENOENT, errno.ENODEV):
                    raise
        elif os.path.exists(self.directory):
            processes.kill_until_empty(self.directory)

    def set_frozen(self, frozen: bool) -> None:
        """Stop or resume, and wait until cgroup.events says so.

        Raises:
            CgroupError: a process cannot be stopped; then everything runs again.
        """
        control.write(f"{self.directory}/cgroup.freeze", "1" if frozen else "0")
        if not self._wait_frozen(frozen):
            control.write(f"{self.directory}/cgroup.freeze", "0")
            raise CgroupError(f"unable to freeze {self._name}")

    def is_frozen(self) -> bool:
        """Look at what was asked for; it is in force as soon as `set_frozen` returned."""
        return control.read_int(f"{self.directory}/cgroup.freeze") == 1

    def _wait_frozen(self, frozen: bool) -> bool:
        """Wait for the `frozen` field: the file signals POLLPRI when it changes."""
        import select
        import time

        deadline = time.monotonic() + _FREEZE_TIMEOUT_S
        with open(f"{self.directory}/cgroup.events", encoding="ascii") as file:
            poller = select.poll()
            poller.register(file, select.POLLPRI)
            while f"frozen {int(frozen)}" not in file.read():
                if (left := deadline - time.monotonic()) <= 0:
                    return False
                poller.poll(left * 1000)
                file.seek(0)
        return True

    def stats(self, *, everything: bool = False) -> CgroupStats:
        """Read the figures."""
        from windlass.cgroups.v2_stats import read_stats

        return read_stats(self.directory, everything=everything)

    def remove(self) -> None:
        """Remove the directory and those below."""
        processes.remove_tree(self.directory)
