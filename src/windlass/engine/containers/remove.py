"""`rm`: out of sight at once, deleted in the background.

The container's directory is renamed to the trash under its id. What a crash leaves there is deleted by the next daemon,
with the control group of that id.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from contextlib import suppress

from windlass.base.errors import Conflict, System
from windlass.base.logging import event
from windlass.base.threads import run_blocking
from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.containers.kill import kill_and_wait
from windlass.engine.engine import Engine
from windlass.engine.paths import ContainerPaths
from windlass.linux import removal

# A client that reads the log of a removed container gets this long to open its files.
_READERS_GRACE_S = 5.0
_log = logging.getLogger(__name__)


async def remove(engine: Engine, reference: str, *, force: bool = False, volumes: bool = False) -> None:
    """Remove a container; with `force` one that runs is killed first. `volumes`: its anonymous volumes go, too.

    Raises:
        NoSuchContainer: there is none.
        Conflict: it runs, or is being removed.
        WindlassError: it could not be killed.
    """
    container = engine.containers.get(reference)
    await engine.nursery.run(_remove(engine, container, force=force, volumes=volumes), f"remove {container.id}")


async def _remove(engine: Engine, container: Container, *, force: bool, volumes: bool) -> None:
    if container.removing:
        raise Conflict(f"removal of container {container.id} is already in progress")
    if not force:
        _check(container)
    container.removing = True
    try:
        if container.state.is_active:
            await kill_and_wait(engine, container)
        async with container.lock:
            if not force:
                _check(container)
            await discard(engine, container, volumes=volumes)
    except BaseException:
        container.removing = False
        raise


def _check(container: Container) -> None:
    name, status = container.name, container.state.status
    if status == "paused":
        raise Conflict(f'cannot remove container "/{name}": container is paused and must be unpaused first')
    if status in ("running", "restarting"):
        raise Conflict(
            f'cannot remove container "/{name}": container is {status}: '
            "stop the container before removing or force remove"
        )


async def discard(engine: Engine, container: Container, *, volumes: bool) -> None:
    """Remove a container without a process, whose lock is held and which is marked as being removed."""
    if container.restart_timer is not None:
        container.restart_timer.cancel()
        container.restart_timer = None
    await _forget(engine, container)
    _move_to_trash(engine, container.paths)
    engine.execs.forget_all(container)
    container.drop_pending()
    announce(engine, container, "destroy")
    container.announce_removal()
    engine.images.container_removed()
    event(_log, logging.INFO, "container removed", container=container.id, name=container.name)
    engine.nursery.start(_clean_up(engine, container, volumes=volumes), f"clean up {container.id}")


async def _forget(engine: Engine, container: Container) -> None:
    """Remove the row. On a full disk there is no room to say so until the container's own files are gone."""
    try:
        await engine.containers.delete(container)
    except System as error:
        event(_log, logging.WARNING, "container's files go first", container=container.id, error=error)
        for name in ("upper", os.path.basename(container.paths.log)):
            await run_blocking(delete_trash, container.paths.base, name)
        await engine.containers.delete(container)


def _move_to_trash(engine: Engine, paths: ContainerPaths) -> None:
    """Take the directory out of sight: one rename."""
    try:
        os.rename(paths.base, f"{engine.paths.trash}/{paths.id}")
    except FileNotFoundError:
        pass
    except OSError as error:
        event(_log, logging.ERROR, "container's directory stays", container=paths.id, error=error)


async def _clean_up(engine: Engine, container: Container, *, volumes: bool) -> None:
    if container.teardown is not None:
        await container.teardown.wait()
    if container.log_readers:
        container.unread.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(container.unread.wait(), _READERS_GRACE_S)
    await run_blocking(delete_trash, engine.paths.trash, container.id)
    await run_blocking(shutil.rmtree, container.paths.run, True)
    if volumes:
        await engine.volumes.drop_anonymous(point.name for point in container.intent.mounts if point.type == "volume")


def delete_trash(trash: str, name: str) -> None:
    """Delete one tree in the trash. Blocks; may be called again after an interruption."""
    try:
        fd = os.open(trash, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        removal.remove(fd, os.fsencode(name))
    except OSError as error:
        event(_log, logging.WARNING, "trash is not deleted yet", name=name, error=error)
    finally:
        os.close(fd)
