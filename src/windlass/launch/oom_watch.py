"""Being told at once when a container runs out of memory.

Source: Documentation/admin-guide/cgroup-v1/memory.rst, "OOM Control"; cgroup-v2.rst, "memory.events".
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable

from windlass.launch.poller import READ, Poller
from windlass.launch.record import oom_kills


class OomWatch:
    """Calls `told` after each time that the kernel found no memory for a process of a control group.

    `path` is its `memory.oom_control` (v1), whose notifications come by an eventfd, or its `memory.events` (v2), which
    is polled. Where there is neither, nothing is ever told. The group is as young as its first process: what happened
    before anybody looked is told at once.
    """

    def __init__(self, poller: Poller, path: str, told: Callable[[], None]) -> None:
        self._poller = poller
        self._path = path
        self._told = told
        self._fd = -1
        self._kills = 0
        try:
            if path.endswith("/memory.oom_control"):
                self._watch_v1()
            elif path:
                self._watch_v2()
            self._tell_new()
        except OSError:
            # The group is gone already, or this kernel does not tell; the end's record still says it.
            self.close()

    def _watch_v1(self) -> None:
        self._fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        control = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            register = os.open(f"{os.path.dirname(self._path)}/cgroup.event_control", os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(register, f"{self._fd} {control}".encode())
            finally:
                os.close(register)
        finally:
            os.close(control)
        self._poller.watch(self._fd, READ, lambda _events: self._ready_v1())

    def _ready_v1(self) -> None:
        os.eventfd_read(self._fd)
        # The removal of the group is a notification, too.
        if os.path.exists(self._path):
            self._told()

    def _watch_v2(self) -> None:
        self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        # A read makes the file quiet until it changes.
        os.pread(self._fd, 4096, 0)
        self._poller.watch(self._fd, select.EPOLLPRI, lambda _events: self._ready_v2())

    def _ready_v2(self) -> None:
        try:
            os.pread(self._fd, 4096, 0)
        except OSError:
            # ENODEV: the group was removed, and the descriptor stays ready for ever.
            self.close()
            return
        self._tell_new()

    def _tell_new(self) -> None:
        kills = oom_kills(self._path)
        if kills > self._kills:
            self._kills = kills
            self._told()

    def close(self) -> None:
        """Stop."""
        if self._fd >= 0:
            self._poller.forget(self._fd)
            os.close(self._fd)
            self._fd = -1
