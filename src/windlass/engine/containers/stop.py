"""`stop`: ask first, then kill."""

from __future__ import annotations

import asyncio

from windlass.base.errors import NotModified
from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.containers.kill import cancel_pending_restart, kill_and_wait, send
from windlass.engine.containers.pause import thaw
from windlass.engine.containers.signals import parse_signal
from windlass.engine.engine import Engine

DEFAULT_TIMEOUT_S = 10


async def stop(engine: Engine, reference: str, timeout_s: int | None = None, signal_name: str = "") -> None:
    """End a container: its stop signal, and SIGKILL when it has not ended after `timeout_s` seconds (-1: never).

    Raises:
        NoSuchContainer, InvalidParameter: no such signal.
        NotModified: it is not running.
    """
    container = engine.containers.get(reference)
    number = stop_signal(container, signal_name)
    if not container.state.is_active:
        raise NotModified(f"container {container.id} is already stopped")
    await engine.nursery.run(stop_running(engine, container, number, timeout_s), f"stop {container.id}")


def stop_signal(container: Container, signal_name: str) -> int:
    """Return the signal that asks a container to end."""
    return parse_signal(signal_name or container.intent.config.stop_signal or "SIGTERM")


def stop_timeout_s(container: Container) -> int:
    """Return how long a container gets to end, in seconds; -1 for ever."""
    configured = container.intent.config.stop_timeout
    return DEFAULT_TIMEOUT_S if configured is None else configured


async def stop_running(engine: Engine, container: Container, number: int, timeout_s: int | None) -> None:
    """End a container that runs or waits to be restarted."""
    container.stop_requested = True
    if await cancel_pending_restart(engine, container):
        announce(engine, container, "stop")
        return
    if timeout_s is None:
        timeout_s = stop_timeout_s(container)
    ended = container.waiter("not-running")
    await send(engine, container, number)
    await thaw(engine, container)
    announce(engine, container, "kill", signal=str(number))
    done, _ = await asyncio.wait((ended,), timeout=None if timeout_s < 0 else timeout_s)
    if not done:
        await kill_and_wait(engine, container)
    announce(engine, container, "stop")
