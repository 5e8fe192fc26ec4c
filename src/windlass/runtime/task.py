"""What the engine knows of running containers: tasks, their streams and their ends.

`Launcher` and `Task` are the seam between the engine and the processes that run containers. The engine never sees a pid
it could signal by mistake, a pipe or a terminal: it hands over client connections and is told of ends.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from windlass.base.errors import InvalidParameter, WindlassError
from windlass.spec.id_mappings import IdMappings
from windlass.spec.task import ExecPlan, ExitRecord, TaskPlan


class StartFailed(InvalidParameter):
    """Init could not become the container's process; the message names the step in the runtime's words.

    `exit_code` is what a `docker run` reports: 127 not found, 126 not executable, 125 otherwise.
    """

    def __init__(self, message: str, exit_code: int = 125) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class TaskGone(WindlassError):
    """The supervisor does not answer any more: its container has ended."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A client's connection to be handed over to a supervisor.

    `connection` is an open descriptor that stays the caller's to close, whatever the outcome: the supervisor gets a
    copy. After a StartFailed the caller may thus still tell the client why. `framed` puts the 8-byte frames around
    output (containers without a terminal). `leftover` was read from the client after its request. `detach_keys` are
    the bytes which, typed in sequence, end the session.
    """

    connection: int
    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    framed: bool = True
    leftover: bytes = b""
    detach_keys: bytes = b""


@dataclass(frozen=True, slots=True)
class NetNs:
    """A new network namespace with a route socket opened inside it, and the user namespace that owns it (-1: ours)."""

    netns_fd: int
    route_socket: socket.socket
    userns_fd: int = -1


@dataclass(slots=True)
class TaskCallbacks:
    """What the engine wants to hear, in the event loop's thread.

    `on_lost`: the supervisor died without a word (its container dies with it); there will be no exit record.
    """

    on_exit: Callable[[ExitRecord], None]
    on_exec_exit: Callable[[str, int], None]
    on_oom: Callable[[], None] = field(default=lambda: None)
    on_detach: Callable[[str], None] = field(default=lambda _exec_id: None)
    on_lost: Callable[[], None] = field(default=lambda: None)


@dataclass(frozen=True, slots=True)
class AdoptedExec:
    """An exec that a supervisor knew of when it was taken back; `exit_code` is None while it runs."""

    pid: int
    exit_code: int | None


class Task(Protocol):
    """A live container: one supervisor and its init."""

    @property
    def pid(self) -> int:
        """Host pid of the container's process."""
        ...

    @property
    def started_at_ns(self) -> int:
        """When the process was started, nanoseconds since the epoch."""
        ...

    @property
    def foreign(self) -> bool:
        """Whether another OCI runtime has made the container."""
        ...

    @property
    def adopted_execs(self) -> Mapping[str, AdoptedExec]:
        """Execs of an earlier daemon, by id."""
        ...

    async def attach(self, attachment: Attachment) -> None:
        """Hand over a client's connection."""
        ...

    async def exec(self, plan: ExecPlan, attachments: Sequence[Attachment]) -> int:
        """Start one more process; return its host pid once it has become the user's program.

        Raises:
            StartFailed: it has not.
            TaskGone: the container has ended.
        """
        ...

    async def kill(self, signal: int, exec_id: str = "") -> None:
        """Signal the container's process, or one of its execs; race-free (pidfd)."""
        ...

    async def manage(self, command: str, resources: bytes = b"") -> None:
        """Let the foreign runtime `pause`, `resume` or `update` the container (`resources`: LinuxResources as JSON).

        Raises:
            System: in the runtime's words.
            TaskGone: the container has ended.
        """
        ...

    async def resize(self, rows: int, columns: int, exec_id: str = "") -> None:
        """Set the size of a terminal."""
        ...

    async def wait(self) -> ExitRecord:
        """Wait for the end."""
        ...


class Launcher(Protocol):
    """Starts what must not be started by a process with threads."""

    async def launch(
        self,
        plan: TaskPlan,
        callbacks: TaskCallbacks,
        attachments: Sequence[Attachment] = (),
        netns_fd: int = -1,
        holds: Sequence[int] = (),
        userns_fd: int = -1,
    ) -> Task:
        """Start a container and return when its process has become the user's program.

        `netns_fd` and `userns_fd`, those that are given, are the plan's passed descriptors in this order
        (`SetNs(fd=0)`); the supervisor keeps them and `holds` (reserved ports) for as long as the container runs.
        Descriptors stay the caller's to close.

        Raises:
            StartFailed: the process could not be started; nothing is left behind.
        """
        ...

    async def adopt(self, container_id: str, callbacks: TaskCallbacks) -> Task | None:
        """Take back the supervisor of an earlier daemon; None when none answers (read its exit record then)."""
        ...

    async def new_netns(self, mappings: IdMappings | None = None, userns_fd: int = -1) -> NetNs:
        """Make a network namespace, owned by a new user namespace with `mappings`, or by that of `userns_fd`.

        Raises:
            System: the host refused; for mappings, the text names the ranges.
        """
        ...

    async def run_job(self, name: str, params: Mapping[str, object], fds: Sequence[int] = ()) -> dict[str, object]:
        """Run a job of `windlass.launch.jobs` in a worker process and return its result.

        Raises:
            WindlassError: of the kind that the job reported.
        """
        ...
