"""Execs: created, started once, ended; kept a while for whoever asks for the exit code.

They live in memory only: an exec's process ends with its container, and a client that outlives a daemon has its stream
from the supervisor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from windlass.base.clock import now_ns
from windlass.engine.containers.container import Container
from windlass.engine.errors import NoSuchExec
from windlass.engine.events import Events

# How many ended execs of one container are remembered.
_ENDED_KEPT = 32


class ExecConfig(msgspec.Struct, rename="pascal"):
    """What to run. Source: Engine API, ExecConfig."""

    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    detach_keys: str = ""
    tty: bool = False
    console_size: list[int] | None = None
    env: list[str] | None = None
    cmd: list[str] | str | None = None
    privileged: bool = False
    user: str = ""
    working_dir: str = ""

    @property
    def argv(self) -> list[str]:
        """The command line."""
        if isinstance(self.cmd, str):
            return [self.cmd]
        return self.cmd or []


@dataclass(slots=True, eq=False)
class Exec:
    """One more process. `exit_code` is None until it has ended, or failed to start; `over` is set when it has ended."""

    id: str
    container: Container
    config: ExecConfig
    started: bool = False
    running: bool = False
    pid: int = 0
    exit_code: int | None = None
    open_stdin: bool = False
    ended_at_ns: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)


class ExecTable:
    """Execs by id."""

    def __init__(self) -> None:
        self._by_id: dict[str, Exec] = {}

    def __iter__(self) -> Iterator[Exec]:
        return iter(tuple(self._by_id.values()))

    def get(self, exec_id: str) -> Exec:
        """Return an exec.

        Raises:
            NoSuchExec: there is none, or its container has ended.
        """
        try:
            return self._by_id[exec_id]
        except KeyError:
            raise NoSuchExec(exec_id) from None

    def find(self, exec_id: str) -> Exec | None:
        """Return an exec if it is there."""
        return self._by_id.get(exec_id)

    def add(self, exec_: Exec) -> None:
        """Add one, and forget the oldest of its container's that have ended."""
        ended = [self._by_id[i] for i in exec_.container.exec_ids if self._by_id[i].exit_code is not None]
        for old in sorted(ended, key=lambda e: e.ended_at_ns)[: max(0, len(ended) - _ENDED_KEPT)]:
            self.remove(old)
        self._by_id[exec_.id] = exec_
        exec_.container.exec_ids.add(exec_.id)

    def remove(self, exec_: Exec) -> None:
        """Forget one."""
        self._by_id.pop(exec_.id, None)
        exec_.container.exec_ids.discard(exec_.id)

    def ended(self, events: Events, container: Container, exec_id: str, exit_code: int) -> None:
        """Take note of the end of a process."""
        exec_ = self._by_id.get(exec_id)
        if exec_ is None or exec_.exit_code is not None:
            return
        exec_.running = False
        exec_.exit_code = exit_code
        exec_.ended_at_ns = now_ns()
        exec_.over.set()
        config = container.intent.config
        attributes = {
            **(config.labels or {}),
            "execID": exec_id,
            "exitCode": str(exit_code),
            "image": config.image,
            "name": container.name,
        }
        events.emit("container", "exec_die", container.id, attributes)

    def forget_all(self, container: Container) -> None:
        """Forget the execs of a container that has ended."""
        for exec_id in tuple(container.exec_ids):
            self._by_id.pop(exec_id, None)
        container.exec_ids.clear()
