"""`pause` and `unpause`: the freezer of the control group."""

from __future__ import annotations

import msgspec

from windlass.base.errors import Conflict, WindlassError
from windlass.base.threads import run_blocking
from windlass.cgroups.model import Cgroup
from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.engine import Engine
from windlass.engine.errors import NotRunning


async def pause(engine: Engine, reference: str) -> None:
    """Stop every process of a container where it is.

    Raises:
        NoSuchContainer, Conflict: not running, or paused already.
        CgroupError: the kernel refused.
    """
    container = engine.containers.get(reference)
    async with container.lock:
        state = container.state
        if state.status == "paused":
            raise Conflict(f"container {container.id} is already paused")
        if state.status == "restarting":
            raise Conflict(f"container {container.id} is restarting, wait until the container is running")
        if state.status != "running" or container.cgroup is None:
            raise NotRunning(container.id)
        await _set_frozen(container, container.cgroup, True)
        await engine.containers.set_state(container, msgspec.structs.replace(state, status="paused"))
        announce(engine, container, "pause")


async def unpause(engine: Engine, reference: str) -> None:
    """Let a paused container go on.

    Raises:
        NoSuchContainer, Conflict: it is not paused.
        CgroupError: the kernel refused.
    """
    container = engine.containers.get(reference)
    if container.state.status != "paused":
        raise Conflict(f"container {container.id} is not paused")
    await thaw(engine, container)


async def thaw(engine: Engine, container: Container) -> None:
    """Let a container go on if it is paused."""
    async with container.lock:
        state = container.state
        if state.status != "paused" or container.cgroup is None:
            return
        await _set_frozen(container, container.cgroup, False)
        await engine.containers.set_state(container, msgspec.structs.replace(state, status="running"))
        announce(engine, container, "unpause")


async def _set_frozen(container: Container, cgroup: Cgroup, frozen: bool) -> None:
    """By the control group, or by the other runtime that made the container: it may have no processes of ours."""
    task = container.task
    if task is None or not task.foreign:
        await run_blocking(cgroup.set_frozen, frozen)
        return
    try:
        await task.manage("pause" if frozen else "resume")
    except WindlassError:
        if frozen:
            raise
        # Some runtimes thaw what they kill, and then do not resume what is not paused.
        await run_blocking(cgroup.set_frozen, False)
