"""The rhythm of a container's probes: a timer between them, a task during one, and nothing else.

What probes find is in memory; a change of the verdict is in the store, too, so that the next daemon goes on from it.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from windlass.base.clock import now_ns
from windlass.base.errors import WindlassError
from windlass.base.logging import event
from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.engine import Engine
from windlass.engine.health.heal import heal
from windlass.engine.health.judge import judge, next_probe_in_ns
from windlass.engine.health.model import Health, HealthResult
from windlass.engine.health.probe import Probe, probe_of
from windlass.engine.health.run import run_probe

_NS = 1_000_000_000
_log = logging.getLogger(__name__)


def first_health(container: Container) -> Health | None:
    """Return the health of a container that has just been started, None without a check."""
    return Health() if probe_of(container.intent.config) is not None else None


def watch(engine: Engine, container: Container) -> None:
    """Begin to probe a running container, if it has a check; its health goes on from what is in its state."""
    container.stop_monitor()
    container.health = container.state.health
    probe = probe_of(container.intent.config)
    if probe is None:
        return
    container.health = container.health or Health()
    container.monitor = Monitor(engine, container, probe)


class Monitor:
    """Probes one run of a container until `stop`."""

    def __init__(self, engine: Engine, container: Container, probe: Probe) -> None:
        self._engine = engine
        self._container = container
        self._probe = probe
        self._stopped = asyncio.Event()
        self._timer = self._schedule()

    def _schedule(self) -> asyncio.TimerHandle:
        container = self._container
        health = container.health or Health()
        delay_ns = next_probe_in_ns(health, self._probe, container.state.started_at_ns, now_ns())
        return asyncio.get_running_loop().call_later(delay_ns / _NS, self._due)

    def stop(self) -> None:
        """Probe no more."""
        self._timer.cancel()
        self._stopped.set()

    def _due(self) -> None:
        if self._engine.closing:
            return
        if self._container.state.status != "running":
            # What is paused cannot answer, and is not ill.
            self._timer = self._schedule()
            return
        self._engine.nursery.start(self._turn(), f"health {self._container.id}")

    async def _turn(self) -> None:
        try:
            result = await self._result()
            if result is not None and self._container.state.status == "running":
                await self._take(result)
        except Exception:
            # A fault of ours in one probe must not end the watch.
            _log.exception("health check failed", extra={"fields": {"container": self._container.id}})
        if not self._stopped.is_set():
            self._timer = self._schedule()

    async def _result(self) -> HealthResult | None:
        """Run one probe; None when it is wanted no more."""
        probing = asyncio.ensure_future(run_probe(self._engine, self._container, self._probe))
        stopping = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait((probing, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if self._stopped.is_set() or not probing.done():
                probing.cancel()
            await asyncio.gather(probing, stopping, return_exceptions=True)
        return None if self._stopped.is_set() else probing.result()

    async def _take(self, result: HealthResult) -> None:
        container = self._container
        before = container.health or Health()
        after = judge(before, result, self._probe, container.state.started_at_ns)
        container.health = after
        if after.status == before.status:
            return
        async with container.lock:
            if container.monitor is not self:
                return
            await self._store(after)
            announce(self._engine, container, f"health_status: {after.status}")
        event(_log, logging.INFO, "health changed", container=container.id, health=after.status)
        if after.status == "unhealthy":
            heal(self._engine, container)

    async def _store(self, health: Health) -> None:
        container = self._container
        state = msgspec.structs.replace(container.state, health=health)
        try:
            await self._engine.containers.set_state(container, state)
        except WindlassError as error:
            # A full disk does not heal anybody.
            container.state = state
            event(_log, logging.ERROR, "health is not stored", container=container.id, error=error)
