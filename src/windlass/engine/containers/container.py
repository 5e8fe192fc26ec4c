"""One container in the daemon's memory: its documents, its lock, its task, and who waits for it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import Literal, Protocol

from windlass.cgroups.model import Cgroup
from windlass.engine.containers.model import Intent, State
from windlass.engine.health.model import Health
from windlass.engine.paths import ContainerPaths
from windlass.runtime.task import Attachment, Task
from windlass.spec.runtime import RuntimeSpec

WaitCondition = Literal["not-running", "next-exit", "removed"]


@dataclass(frozen=True, slots=True)
class WaitResult:
    """What a `wait` is told."""

    exit_code: int
    error: str = ""


@dataclass(slots=True)
class Pending:
    """A client that attached before the start; its descriptor is kept until the launch."""

    attachment: Attachment

    def close(self) -> None:
        """Let go of the client."""
        os.close(self.attachment.connection)


@dataclass(frozen=True, slots=True)
class EncodedSummary:
    """The JSON of a container's entry in `ps` without its status, and the documents that it was made of."""

    intent: Intent
    state: State
    network_ids: dict[str, str]
    head: bytes


class Stoppable(Protocol):
    """What goes on beside a container."""

    def stop(self) -> None:
        """End it."""
        ...


@dataclass(slots=True, eq=False)
class Container:
    """A container. Verbs that change it hold `lock`; readers of `intent` and `state` never wait.

    `task`, `spec` and `cgroup` are there while there is a process. `stop_requested` is set by whoever ends it on a
    user's behalf, `being_restarted` by whoever starts it again afterwards. `teardown` is what still goes on after its
    end; the next start waits for it. `health` is newer than that in `state`: it has the latest probes; `monitor` makes
    them. `encoded` is kept for `ps`. `log_readers` send its log to clients; `unread` is set when the last has done so.
    """

    intent: Intent
    state: State
    paths: ContainerPaths
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    task: Task | None = None
    spec: RuntimeSpec | None = None
    cgroup: Cgroup | None = None
    stop_requested: bool = False
    oom_announced: bool = False
    teardown: asyncio.Event | None = None
    pending: list[Pending] = field(default_factory=list)
    exec_ids: set[str] = field(default_factory=set)
    log_readers: int = 0
    unread: asyncio.Event = field(default_factory=asyncio.Event)
    removing: bool = False
    removed: bool = False
    being_restarted: bool = False
    restart_timer: asyncio.TimerHandle | None = None
    restart_delay_s: float = 0.0
    health: Health | None = None
    monitor: Stoppable | None = None
    encoded: EncodedSummary | None = None
    _exit_waiters: set[asyncio.Future[WaitResult]] = field(default_factory=set)
    _removal_waiters: set[asyncio.Future[WaitResult]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.health = self.state.health

    @property
    def id(self) -> str:
        """Its full id."""
        return self.intent.id

    @property
    def name(self) -> str:
        """Its name, without the slash that the API puts before it."""
        return self.intent.name

    def waiter(self, condition: WaitCondition) -> asyncio.Future[WaitResult]:
        """Return a future of the container's end; one that is done when the condition holds already."""
        waiter: asyncio.Future[WaitResult] = asyncio.get_running_loop().create_future()
        if self.removed or (condition == "not-running" and not self.state.is_active):
            waiter.set_result(self._result())
            return waiter
        waiters = self._removal_waiters if condition == "removed" else self._exit_waiters
        waiters.add(waiter)
        waiter.add_done_callback(waiters.discard)
        return waiter

    def _result(self) -> WaitResult:
        return WaitResult(self.state.exit_code)

    def announce_exit(self) -> None:
        """Wake who waits for the end of this run."""
        _wake(self._exit_waiters, self._result())

    def announce_removal(self, error: str = "") -> None:
        """Wake everybody: there is nothing left to wait for."""
        self.removed = True
        result = WaitResult(self.state.exit_code, error)
        _wake(self._exit_waiters, result)
        _wake(self._removal_waiters, result)

    def stop_monitor(self) -> None:
        """Probe no more."""
        if self.monitor is not None:
            self.monitor.stop()
            self.monitor = None

    def take_pending(self) -> list[Pending]:
        """Return the clients that wait for the start; they are the caller's now."""
        pending, self.pending = self.pending, []
        return pending

    def drop_pending(self) -> None:
        """Close the clients that wait for a start which does not come."""
        for pending in self.take_pending():
            pending.close()


def _wake(waiters: set[asyncio.Future[WaitResult]], result: WaitResult) -> None:
    for waiter in tuple(waiters):
        if not waiter.done():
            waiter.set_result(result)
