"""`pause` and `unpause`: the freezer of the control group."""

from __future__ import annotations

import msgspec

from windlass.base.errors import Conflict
from windlass.base.threads import run_blocking
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
        await run_blocking(container.cgroup.set_frozen, True)
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
        await run_blocking(container.cgroup.set_frozen, False)
        await engine.containers.set_state(container, msgspec.structs.replace(state, status="running"))
        announce(engine, container, "unpause")
