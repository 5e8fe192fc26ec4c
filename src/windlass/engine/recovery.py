"""The start of the engine: what an earlier daemon left is taken back, finished or cleaned up.

containers with a supervisor      adopted: streams, signals and the end are there again
those without                     ended: by their exit record, or killed with the host
--rm, ended                       removed
restart policies                  asked
networks                          made equal to what the living containers have
directories without a container   deleted
"""

from __future__ import annotations

import asyncio
import logging
import os

import msgspec

from windlass.base.errors import WindlassError
from windlass.base.logging import event
from windlass.base.threads import run_blocking
from windlass.cgroups.model import Cgroup
from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.containers.exit import callbacks, duration, lost_record, remove_cgroup
from windlass.engine.containers.foreign import delete_leftover, open_cgroup
from windlass.engine.containers.links import in_start_order
from windlass.engine.containers.lowering import container_intent
from windlass.engine.containers.remove import delete_trash, discard
from windlass.engine.containers.start import launch, restart_now
from windlass.engine.engine import Engine
from windlass.engine.execs.table import Exec, ExecConfig
from windlass.engine.health.judge import ended
from windlass.engine.health.monitor import watch
from windlass.engine.paths import Paths
from windlass.engine.restart import wants_restart, wants_start_with_daemon
from windlass.runtime.lower_spec import cgroup_name, group_name
from windlass.runtime.task import TaskCallbacks
from windlass.spec.task import ExitRecord

_SIGKILL = 9
_log = logging.getLogger(__name__)
_record_decoder = msgspec.json.Decoder(ExitRecord)


async def recover(engine: Engine) -> None:
    """Load everything and put it right; containers that are to run again are started in the background.

    Raises:
        WindlassError, OSError: the store cannot be read, or networks cannot be had.
    """
    await engine.volumes.load()
    containers = await engine.containers.load()
    active = [container for container in containers if container.state.is_active]
    gone = [c for c in await asyncio.gather(*(_adopt(engine, container) for container in active)) if c is not None]
    await _end_unconfirmed(engine, [container for container in containers if not container.state.is_active])
    await _open_networks(engine)
    to_start: list[Container] = []
    for container, record in gone:
        await _finish(engine, container, record, to_start)
    for container in containers:
        known = container in to_start or container.task is not None or container.removed
        if not known and container.intent.host_config.auto_remove and container.state.started_at_ns:
            await _discard(engine, container)
        elif not known and wants_start_with_daemon(container, container.state.exit_code):
            to_start.append(container)
    # Listed before the first request: what is made from now on is no stray.
    trash = await run_blocking(_collect_trash, engine.paths, {container.id for container in engine.containers})
    engine.nursery.start(_sweep(engine, trash), "sweep")
    engine.nursery.start(_start_all(engine, to_start), "start containers")


async def _adopt(engine: Engine, container: Container) -> tuple[Container, ExitRecord] | None:
    """Take a container's supervisor back; when there is none, return the container with its end."""
    task = await engine.launcher.adopt(container.id, callbacks(engine, container, restart_now))
    if task is None:
        return container, await run_blocking(_read_record, container)
    container.task = task
    container.cgroup = _open_cgroup(engine, container)
    if container.state.pid != task.pid:
        state = msgspec.structs.replace(
            container.state, status="running", pid=task.pid, started_at_ns=task.started_at_ns
        )
        await engine.containers.set_state(container, state)
    for exec_id, known in task.adopted_execs.items():
        exec_ = Exec(exec_id, container, ExecConfig(), started=True, running=known.exit_code is None, pid=known.pid)
        exec_.exit_code = known.exit_code
        engine.execs.add(exec_)
    watch(engine, container)
    event(_log, logging.INFO, "container taken back", container=container.id, pid=task.pid)
    return None


async def _end_unconfirmed(engine: Engine, containers: list[Container]) -> None:
    """End what a daemon had launched when it was killed, before it recorded and confirmed the start.

    Nobody was told that it runs, and its network is not known: it goes back to the state that it was in.
    """
    present = set(await run_blocking(os.listdir, f"{engine.paths.run_root}/containers"))
    for container in containers:
        if container.id not in present:
            continue
        task = await engine.launcher.adopt(container.id, TaskCallbacks(lambda _record: None, lambda _id, _code: None))
        if task is None:
            await delete_leftover(engine, container.paths)
            continue
        try:
            await task.kill(_SIGKILL)
            await task.wait()
        except WindlassError:
            # It ended by itself in between.
            pass
        await delete_leftover(engine, container.paths)
        await run_blocking(remove_cgroup, _open_cgroup(engine, container), container.id)
        event(_log, logging.INFO, "unconfirmed start undone", container=container.id)


def _open_cgroup(engine: Engine, container: Container) -> Cgroup:
    path = cgroup_name(container_intent(engine, container.intent, look_at_host=False))
    return open_cgroup(engine, container.intent, path)


def _read_record(container: Container) -> ExitRecord:
    """Return how a container ended; what nobody recorded ended with the host or its supervisor."""
    try:
        with open(container.paths.exit_record, "rb") as file:
            return _record_decoder.decode(file.read())
    except (OSError, msgspec.DecodeError):
        return lost_record(container)


async def _open_networks(engine: Engine) -> None:
    """Endpoints of containers that have ended are not among the wanted ones, and so are removed."""
    living = [(c.id, endpoint) for c in engine.containers if c.task is not None for endpoint in c.state.endpoints]
    lost = await engine.networks.open(living)
    for container in engine.containers:
        if container.task is not None and any(endpoint.id in lost for endpoint in container.state.endpoints):
            event(_log, logging.ERROR, "container's network interface is gone", container=container.id)


async def _finish(engine: Engine, container: Container, record: ExitRecord, to_start: list[Container]) -> None:
    """Record the end of a container that nobody watched."""
    was_restarting = container.state.status == "restarting"
    again = was_restarting or wants_restart(container, record)
    state = container.state
    if not was_restarting:
        state = msgspec.structs.replace(
            state,
            status="exited",
            pid=0,
            exit_code=record.exit_code,
            error=record.error,
            oom_killed=record.oom_killed,
            finished_at_ns=record.finished_at_ns,
            restart_count=state.restart_count + 1 if again else state.restart_count,
            endpoints=[],
            health=ended(state.health),
        )
    container.health = state.health
    await engine.containers.set_state(container, msgspec.structs.replace(state, status="exited"))
    await delete_leftover(engine, container.paths)
    await run_blocking(remove_cgroup, _open_cgroup(engine, container), container.id)
    if not was_restarting:
        announce(engine, container, "die", exitCode=str(record.exit_code), execDuration=duration(record))
    event(_log, logging.INFO, "container had ended", container=container.id, exit_code=record.exit_code)
    if container.intent.host_config.auto_remove:
        await _discard(engine, container)
    elif again:
        to_start.append(container)


async def _discard(engine: Engine, container: Container) -> None:
    async with container.lock:
        container.removing = True
        await discard(engine, container, volumes=True)


async def _start_all(engine: Engine, containers: list[Container]) -> None:
    """Start containers, the oldest first, behind those that they need; one that fails does not hold up the others."""
    for container in in_start_order(engine, containers):
        async with container.lock:
            if container.removing or container.state.is_active:
                continue
            try:
                await launch(engine, container, container.state)
            except WindlassError as error:
                event(_log, logging.WARNING, "container was not started", container=container.id, error=error)


def _collect_trash(paths: Paths, known: set[str]) -> list[str]:
    """Move directories without a container to the trash, and return everything that lies there."""
    for name in os.listdir(paths.containers):
        if name not in known:
            os.rename(f"{paths.containers}/{name}", f"{paths.trash}/{name}")
    return os.listdir(paths.trash)


async def _sweep(engine: Engine, trash: list[str]) -> None:
    """Delete what interrupted removals and creations left."""
    for name in trash:
        cgroup = engine.cgroups.open(group_name("", engine.defaults, name))
        await run_blocking(remove_cgroup, cgroup, name)
        await run_blocking(delete_trash, engine.paths.trash, name)
