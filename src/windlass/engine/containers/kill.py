"""`kill` and what is built on it: signals to the container's process."""

from __future__ import annotations

import asyncio
import logging
import signal

import msgspec

from windlass.base.errors import Conflict, System
from windlass.base.logging import event
from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.containers.pause import thaw
from windlass.engine.containers.signals import parse_signal
from windlass.engine.engine import Engine
from windlass.engine.errors import NotRunning
from windlass.runtime.task import TaskGone

# A process in an uninterruptible sleep does not die; nobody is made to wait for it without end.
_KILLED_WITHIN_S = 30.0
_log = logging.getLogger(__name__)


async def kill(engine: Engine, reference: str, signal_name: str = "") -> None:
    """Send a signal, SIGKILL by default. One that ends the container keeps it from being restarted by policy.

    After SIGKILL the container has ended, as with dockerd.

    Raises:
        NoSuchContainer, InvalidParameter: no such signal.
        Conflict: the container is not running.
        System: the kernel does not let go of the process.
    """
    container = engine.containers.get(reference)
    number = parse_signal(signal_name) if signal_name else int(signal.SIGKILL)
    if not container.state.is_active:
        raise Conflict(f"cannot kill container: {reference}: {NotRunning(container.id).message}")
    if number == signal.SIGKILL:
        await kill_and_wait(engine, container)
        return
    if number == parse_signal(container.intent.config.stop_signal or "SIGTERM"):
        container.stop_requested = True
    if await cancel_pending_restart(engine, container):
        return
    await send(engine, container, number)
    announce(engine, container, "kill", signal=str(number))


async def send(engine: Engine, container: Container, number: int) -> None:
    """Send a signal to a container's process; one that has just ended is no error."""
    task = container.task
    if task is None:
        return
    try:
        await task.kill(number)
    except TaskGone:
        event(_log, logging.DEBUG, "signal came too late", container=container.id, signal=number)


async def kill_and_wait(engine: Engine, container: Container) -> None:
    """End a container at once and wait until the end was taken note of.

    Raises:
        System: the kernel does not let go of the process.
    """
    container.stop_requested = True
    if await cancel_pending_restart(engine, container):
        return
    ended = container.waiter("not-running")
    await send(engine, container, signal.SIGKILL)
    if container.state.status == "paused":
        # A frozen process dies only once it runs again.
        await thaw(engine, container)
    announce(engine, container, "kill", signal=str(int(signal.SIGKILL)))
    done, _ = await asyncio.wait((ended,), timeout=_KILLED_WITHIN_S)
    if not done:
        raise System(f"tried to kill container {container.id}, but did not receive an exit event")


async def cancel_pending_restart(engine: Engine, container: Container) -> bool:
    """If the container waits to be restarted, it is exited instead; tells whether it was so."""
    if container.state.status != "restarting" or container.restart_timer is None:
        return False
    container.restart_timer.cancel()
    container.restart_timer = None
    async with container.lock:
        stopped = msgspec.structs.replace(container.state, status="exited", stopped_by_user=True)
        await engine.containers.set_state(container, stopped)
        container.announce_exit()
    return True
