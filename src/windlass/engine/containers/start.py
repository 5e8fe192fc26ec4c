"""`start`: the network and the compiled plan are made side by side, then one message makes the container run."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from windlass.base.clock import now_ns
from windlass.base.errors import Conflict, NotModified, WindlassError
from windlass.base.logging import event
from windlass.base.threads import run_blocking
from windlass.engine.containers.announce import announce, announce_mounts
from windlass.engine.containers.connect import Connection, connect, disconnect
from windlass.engine.containers.container import Container
from windlass.engine.containers.exit import callbacks, remove_later
from windlass.engine.containers.foreign import start_failure
from windlass.engine.containers.links import with_link_environment
from windlass.engine.containers.lowering import Prepared, prepare
from windlass.engine.containers.model import State
from windlass.engine.engine import Engine
from windlass.engine.health.monitor import first_health, watch
from windlass.runtime.task import StartFailed, Task, TaskGone

# What a start that failed for no reason of the program's reports. Source: docker run, "Exit status".
_START_FAILED = 128
_log = logging.getLogger(__name__)


async def start(engine: Engine, reference: str) -> None:
    """Start a container; returns when its process has become the user's program.

    Raises:
        NoSuchContainer, Conflict: its state forbids it.
        NotModified: it runs already.
        StartFailed, WindlassError: it cannot; a container with `--rm` is gone then.
    """
    container = engine.containers.get(reference)
    await engine.nursery.run(_start(engine, container), f"start {container.id}")


async def _start(engine: Engine, container: Container) -> None:
    async with container.lock:
        _check(container)
        cancel_restart(container)
        try:
            await launch(engine, container, msgspec.structs.replace(container.state, restart_count=0))
        except Exception:
            if container.intent.host_config.auto_remove:
                remove_later(engine, container)
            raise


def _check(container: Container) -> None:
    if container.removing or container.state.status in ("removing", "dead"):
        raise Conflict("container is marked for removal and cannot be started")
    if container.state.status == "paused":
        raise Conflict("cannot start a paused container, try unpause instead")
    if container.state.status == "running":
        raise NotModified(f"container {container.id} is already running")


async def restart_now(engine: Engine, container: Container) -> None:
    """Start a container again because its policy says so."""
    async with container.lock:
        if container.removing or container.state.status != "restarting":
            return
        try:
            await launch(engine, container, container.state)
        except WindlassError as error:
            event(_log, logging.WARNING, "restart failed", container=container.id, error=error)


def cancel_restart(container: Container) -> None:
    """Forget a restart that was to come."""
    if container.restart_timer is not None:
        container.restart_timer.cancel()
        container.restart_timer = None


async def launch(engine: Engine, container: Container, state: State) -> None:
    """Start a container whose lock is held; `state` is what is carried over into the new run.

    Raises:
        StartFailed, WindlassError: it cannot; the reason is in its state and nothing else remains.
    """
    if container.teardown is not None:
        await container.teardown.wait()
    try:
        connection, prepared = await _make_ready(engine, container)
    except Exception as error:
        await _record_failure(engine, container, error)
        raise
    try:
        task = await _launch(engine, container, connection, prepared)
    except BaseException as error:
        disconnect(engine, container.intent, connection)
        await run_blocking(prepared.cgroup.remove)
        if isinstance(error, Exception):
            await _record_failure(engine, container, error)
        raise
    connection.close()
    if engine.defaults.systemd_cgroups:
        # The first process is inside: the one that kept the place for it may go.
        await run_blocking(prepared.cgroup.settle)
    container.task, container.spec, container.cgroup = task, prepared.spec, prepared.cgroup
    container.stop_requested = container.oom_announced = False
    running = msgspec.structs.replace(
        state,
        status="running",
        pid=task.pid,
        exit_code=0,
        error="",
        oom_killed=False,
        started_at_ns=task.started_at_ns,
        stopped_by_user=False,
        endpoints=connection.endpoints,
        health=first_health(container),
    )
    await engine.containers.set_state(container, running)
    watch(engine, container)
    announce_mounts(engine, container)
    announce(engine, container, "start")
    event(_log, logging.INFO, "container started", container=container.id, pid=task.pid)


async def _make_ready(engine: Engine, container: Container) -> tuple[Connection, Prepared]:
    """Make the network and the plan at the same time; when one fails the other is undone."""
    intent = with_link_environment(engine, container.intent)
    layers = engine.images.layers_of(intent.image_id)
    connecting, preparing = await asyncio.gather(
        connect(engine, intent), run_blocking(prepare, engine, intent, layers), return_exceptions=True
    )
    if isinstance(connecting, Connection) and isinstance(preparing, Prepared):
        for warning in preparing.warnings:
            event(_log, logging.WARNING, warning, container=container.id)
        return connecting, preparing
    if isinstance(connecting, Connection):
        disconnect(engine, intent, connecting)
    if isinstance(preparing, Prepared):
        await run_blocking(preparing.cgroup.remove)
    raise next(outcome for outcome in (preparing, connecting) if isinstance(outcome, BaseException))


async def _launch(engine: Engine, container: Container, connection: Connection, prepared: Prepared) -> Task:
    """Send the plan with the clients that attached beforehand."""
    clients = container.take_pending()
    try:
        return await engine.launcher.launch(
            prepared.plan,
            callbacks(engine, container, restart_now),
            [client.attachment for client in clients],
            connection.netns_fd,
            connection.holds,
            connection.userns_fd,
        )
    except StartFailed as error:
        message = start_failure(error.message, foreign=prepared.plan.foreign is not None)
        raise StartFailed(message, error.exit_code) from error
    finally:
        for client in clients:
            client.close()


async def _record_failure(engine: Engine, container: Container, error: Exception) -> None:
    """Keep why a start failed, a fault of ours too: clients that wait would wait for ever."""
    message = error.message if isinstance(error, WindlassError) else f"{type(error).__name__}: {error}"
    code = error.exit_code if isinstance(error, StartFailed) else _START_FAILED
    failed = msgspec.structs.replace(
        container.state,
        status="created" if not container.state.started_at_ns else "exited",
        pid=0,
        exit_code=code,
        error=message,
        finished_at_ns=now_ns() if container.state.started_at_ns else 0,
        endpoints=[],
    )
    await engine.containers.set_state(container, failed)
    container.drop_pending()
    container.announce_exit()
    reason = "supervisor gone" if isinstance(error, TaskGone) else message
    event(_log, logging.WARNING, "container did not start", container=container.id, error=reason)
