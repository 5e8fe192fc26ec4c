"""`restart`."""

from __future__ import annotations

from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.containers.start import cancel_restart, launch
from windlass.engine.containers.stop import stop_running, stop_signal
from windlass.engine.engine import Engine


async def restart(engine: Engine, reference: str, timeout_s: int | None = None, signal_name: str = "") -> None:
    """Stop a container if it runs, and start it.

    Raises:
        NoSuchContainer, Conflict, StartFailed, WindlassError: as `stop` and `start`.
    """
    container = engine.containers.get(reference)
    number = stop_signal(container, signal_name)
    await engine.nursery.run(_restart(engine, container, number, timeout_s), f"restart {container.id}")


async def _restart(engine: Engine, container: Container, number: int, timeout_s: int | None) -> None:
    # One with --rm survives this stop.
    container.being_restarted = True
    try:
        if container.state.is_active:
            await stop_running(engine, container, number, timeout_s)
        async with container.lock:
            cancel_restart(container)
            await launch(engine, container, container.state)
    finally:
        container.being_restarted = False
    announce(engine, container, "restart")
