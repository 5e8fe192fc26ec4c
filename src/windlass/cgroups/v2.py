"""The driver of cgroup v2: one directory in one tree, controllers handed down from the root.

Source: Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable, Sequence

from windlass.cgroups import control, processes, v2_limits
from windlass.cgroups.device_program import device_program
from windlass.cgroups.devices import reduce_rules
from windlass.cgroups.missing import missing_warnings
from windlass.cgroups.model import CgroupError, CgroupHost, CgroupMount, CgroupStats
from windlass.cgroups.names import clean_name
from windlass.cgroups.v2_stats import read_stats
from windlass.linux import bpf
from windlass.spec.resources import LinuxDeviceCgroup, LinuxResources

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

    def join_files(self) -> list[str]:
        """The one `cgroup.procs`."""
        return [f"{self.directory}/cgroup.procs"]

    def mounts(self) -> tuple[CgroupMount, ...]:
        """The directory itself, to be seen at /sys/fs/cgroup."""
        return (CgroupMount("", self.directory),)

    def oom_event_path(self) -> str:
        """memory.events, which has the `oom_kill` counter."""
        return f"{self.directory}/memory.events" if self._host.has("memory") else ""

    def update(self, resources: LinuxResources) -> None:
        """Change limits."""
        self._write(v2_limits.settings(resources))

    def apply(self, resources: LinuxResources) -> None:
        """Write all limits into a fresh group."""
        self.update(resources)
        if resources.devices:
            _restrict_devices(self.directory, resources.devices)

    def _write(self, settings: Iterable[v2_limits.Setting]) -> None:
        for controller, file, text in settings:
            if not self._host.has(controller) and controller != "cgroup":
                continue
            path = f"{self.directory}/{file}"
            # BFQ and io.cost are optional; whichever weight file exists takes the weight.
            if file in ("io.bfq.weight", "io.weight") and not os.path.exists(path):
                continue
            # Swap accounting can be off by boot parameter: then there is nothing to unlimit.
            if file == "memory.swap.max" and text == "max" and not os.path.exists(path):
                continue
            control.write(path, text)

    def processes(self) -> list[int]:
        """Pids of the group and those below."""
        return processes.list_processes(self.directory)

    def kill_all(self) -> None:
        """One write where the kernel has cgroup.kill (5.14), rounds of signals elsewhere."""
        path = f"{self.directory}/cgroup.kill"
        if os.path.exists(path):
            control.write(path, "1")
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

    def _wait_frozen(self, frozen: bool) -> bool:
        """Wait for the `frozen` field: the file signals POLLPRI when it changes."""
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

    def stats(self) -> CgroupStats:
        """Read the figures."""
        return read_stats(self.directory)

    def remove(self) -> None:
        """Remove the directory and those below."""
        processes.remove_tree(self.directory)


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
        above = self._host.root
        _hand_down(above, self._host)
        for part in clean_name(parent).split("/"):
            above = f"{above}/{part}"
            _make_directory(above, exist_ok=True)
            _hand_down(above, self._host)

    def create(self, name: str, resources: LinuxResources) -> tuple[V2Cgroup, Sequence[str]]:
        """Make the directory and write the limits."""
        cgroup = V2Cgroup(self._host, clean_name(name))
        self._make(cgroup)
        try:
            cgroup.apply(resources)
        except BaseException:
            cgroup.remove()
            raise
        return cgroup, missing_warnings(self._host, resources)

    def _make(self, cgroup: V2Cgroup) -> None:
        try:
            os.mkdir(cgroup.directory)
        except FileExistsError:
            cgroup.remove()
            _make_directory(cgroup.directory)
        except FileNotFoundError:
            self.ensure_parent(os.path.dirname(cgroup.name) or cgroup.name)
            _make_directory(cgroup.directory, exist_ok=True)
        except OSError as error:
            raise CgroupError(f"failed to create {cgroup.directory}: {(error.strerror or '').lower()}") from error

    def open(self, name: str) -> V2Cgroup:
        """Return a group made earlier."""
        return V2Cgroup(self._host, clean_name(name))


def _make_directory(path: str, *, exist_ok: bool = False) -> None:
    try:
        os.mkdir(path)
    except FileExistsError:
        if not exist_ok:
            raise CgroupError(f"failed to create {path}: file exists") from None
    except OSError as error:
        raise CgroupError(f"failed to create {path}: {(error.strerror or '').lower()}") from error


def _hand_down(directory: str, host: CgroupHost) -> None:
    """Enable every available controller for the children, each on its own so that one refusal costs only that one.

    A group other than the root that has processes of its own refuses all ("no internal processes"); the missing
    controllers then show as warnings, as on a host that has none.
    """
    enabled = control.read(f"{directory}/cgroup.subtree_control").split()
    available = control.read(f"{directory}/cgroup.controllers").split()
    missing = [name for name in available if name not in enabled and host.has(name)]
    if not missing:
        return
    path = f"{directory}/cgroup.subtree_control"
    try:
        control.write(path, " ".join(f"+{name}" for name in missing))
    except CgroupError:
        for name in missing:
            try:
                control.write(path, f"+{name}")
            except CgroupError:
                continue


def _restrict_devices(directory: str, rules: Sequence[LinuxDeviceCgroup]) -> None:
    """Attach the device filter.

    Raises:
        CgroupError: the kernel refused; a container must not run without its filter.
    """
    reduced = reduce_rules(rules)
    if reduced.allows_everything:
        return
    try:
        program = bpf.load_device_program(device_program(reduced))
        try:
            bpf.attach_device_program(directory, program)
        finally:
            os.close(program)
    except OSError as error:
        raise CgroupError(f"failed to attach the device filter to {directory}: {error.strerror}") from error
