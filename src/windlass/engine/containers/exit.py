"""The end of a container's process: recorded, announced, cleaned up after; then removed or started again.

Callbacks come from the supervisor's connection in the loop's thread; what they set off runs as tasks of the engine,
one at a time for each container by its lock.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from windlass.base.clock import now_ns
from windlass.base.errors import WindlassError
from windlass.base.logging import event
from windlass.base.threads import run_blocking
from windlass.cgroups.model import Cgroup
from windlass.engine.containers.announce import announce, announce_unmounts
from windlass.engine.containers.container import Container
from windlass.engine.containers.foreign import delete_leftover
from windlass.engine.containers.model import SIGNALLED
from windlass.engine.containers.remove import discard
from windlass.engine.engine import Engine
from windlass.engine.health.judge import ended
from windlass.engine.restart import next_delay_s, wants_restart
from windlass.runtime.task import TaskCallbacks
from windlass.spec.task import ExitRecord

Restart = Callable[[Engine, Container], Coroutine[Any, Any, None]]

_SIGKILL = 9
_NS = 1_000_000_000
_log = logging.getLogger(__name__)


def callbacks(engine: Engine, container: Container, restart: Restart) -> TaskCallbacks:
    """Return what a container's supervisor is to call; `restart` starts the container again by its policy."""

    def on_exit(record: ExitRecord) -> None:
        engine.nursery.start(exited(engine, container, record, restart), f"exit {container.id}")

    def on_lost() -> None:
        event(_log, logging.ERROR, "supervisor died, and its container with it", container=container.id)
        on_exit(lost_record(container))

    return TaskCallbacks(
        on_exit=on_exit,
        on_exec_exit=lambda exec_id, code: engine.execs.ended(engine.events, container, exec_id, code),
        on_oom=lambda: engine.nursery.start(_out_of_memory(engine, container), f"oom {container.id}"),
        on_detach=lambda exec_id: announce(
            engine, container, "exec_detach" if exec_id else "detach", **({"execID": exec_id} if exec_id else {})
        ),
        on_lost=on_lost,
    )


async def _out_of_memory(engine: Engine, container: Container) -> None:
    """The kernel killed a process; the container may go on."""
    async with container.lock:
        if not container.state.is_running:
            return
        _announce_oom(engine, container)
        if not container.state.oom_killed:
            await engine.containers.set_state(container, msgspec.structs.replace(container.state, oom_killed=True))


def _announce_oom(engine: Engine, container: Container) -> None:
    container.oom_announced = True
    announce(engine, container, "oom")


def lost_record(container: Container) -> ExitRecord:
    """Return what is known of an end that nobody recorded."""
    return ExitRecord(container.id, SIGNALLED + _SIGKILL, container.state.started_at_ns, now_ns())


async def exited(engine: Engine, container: Container, record: ExitRecord, restart: Restart) -> None:
    """Take note of the end of a run."""
    if engine.closing:
        # The next daemon reads the record.
        return
    async with container.lock:
        if container.removed or not container.state.is_running:
            return
        if record.oom_killed and not container.oom_announced:
            _announce_oom(engine, container)
        endpoints = container.state.endpoints
        again = not container.removing and wants_restart(container, record)
        await _record_exit(engine, container, record, restarting=again)
        announce(engine, container, "die", exitCode=str(record.exit_code), execDuration=duration(record))
        announce_unmounts(engine, container)
        engine.networks.detach(container.id, endpoints)
        container.stop_monitor()
        engine.execs.forget_all(container)
        _tear_down(engine, container)
        event(_log, logging.INFO, "container exited", container=container.id, exit_code=record.exit_code)
        if _removes_itself(container):
            container.removing = True
            await discard(engine, container, volumes=True)
            return
        container.announce_exit()
        if again:
            _schedule_restart(engine, container, record, restart)


def _removes_itself(container: Container) -> bool:
    return container.intent.host_config.auto_remove and not container.removing and not container.being_restarted


async def _record_exit(engine: Engine, container: Container, record: ExitRecord, *, restarting: bool) -> None:
    state = container.state
    after = msgspec.structs.replace(
        state,
        status="restarting" if restarting else "exited",
        pid=0,
        exit_code=record.exit_code,
        error=record.error,
        oom_killed=record.oom_killed,
        finished_at_ns=record.finished_at_ns,
        stopped_by_user=container.stop_requested or state.stopped_by_user,
        restart_count=state.restart_count + 1 if restarting else state.restart_count,
        endpoints=[],
        health=ended(container.health),
    )
    container.health = after.health
    if _removes_itself(container):
        # Gone in a moment: a crash in between finds the exit record.
        container.state = after
        return
    try:
        await engine.containers.set_state(container, after)
    except WindlassError as error:
        # A full disk does not undo the end; the next daemon finds the exit record.
        container.state = after
        event(_log, logging.ERROR, "container's end is not stored", container=container.id, error=error)


def duration(record: ExitRecord) -> str:
    """Return how long a container ran, in seconds, as its event tells it."""
    return str((record.finished_at_ns - record.started_at_ns) // _NS)


def _tear_down(engine: Engine, container: Container) -> None:
    """Remove the control group in the background; the next start waits for it."""
    cgroup = container.cgroup
    container.task = container.spec = container.cgroup = None
    if cgroup is None:
        return
    container.teardown = done = asyncio.Event()

    async def work() -> None:
        try:
            await delete_leftover(engine, container.paths)
            await run_blocking(remove_cgroup, cgroup, container.id)
        finally:
            done.set()

    engine.nursery.start(work(), f"teardown {container.id}")


def remove_cgroup(cgroup: Cgroup, container_id: str) -> None:
    """Kill what still runs in a dead container's group (it shared another's pid namespace) and remove it. Blocks."""
    try:
        if cgroup.processes():
            cgroup.kill_all()
        cgroup.remove()
    except (WindlassError, OSError) as error:
        event(_log, logging.WARNING, "control group was not removed", container=container_id, error=error)


def _schedule_restart(engine: Engine, container: Container, record: ExitRecord, restart: Restart) -> None:
    delay_s = next_delay_s(container, record)

    def due() -> None:
        container.restart_timer = None
        engine.nursery.start(restart(engine, container), f"restart {container.id}")

    container.restart_timer = asyncio.get_running_loop().call_later(delay_s, due)


def remove_later(engine: Engine, container: Container) -> None:
    """Remove a container that never came to run and wants no trace; its lock is held by the caller."""

    async def work() -> None:
        async with container.lock:
            if not container.removing:
                container.removing = True
                await discard(engine, container, volumes=True)

    engine.nursery.start(work(), f"remove {container.id}")
