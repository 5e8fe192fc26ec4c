"""What is done about an unhealthy container.

That it is started again is decided at its end (`engine/restart.py`): a daemon killed in between does not forget it.
"""

from __future__ import annotations

import asyncio
import logging
import signal

from windlass.base.logging import event
from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.containers.kill import kill_and_wait, send
from windlass.engine.containers.stop import stop_running, stop_signal, stop_timeout_s
from windlass.engine.engine import Engine
from windlass.engine.health.on_failure import action_of

_log = logging.getLogger(__name__)


def heal(engine: Engine, container: Container) -> None:
    """Do what the container's label asks for, beside the caller: its end ends the caller."""
    action = action_of(container.intent.config.labels)
    if action == "none":
        return
    event(_log, logging.WARNING, "container is unhealthy", container=container.id, action=action)
    match action:
        case "restart":
            work = _end(engine, container)
        case "stop":
            work = stop_running(engine, container, stop_signal(container, ""), None)
        case _:
            work = kill_and_wait(engine, container)
    engine.nursery.start(work, f"heal {container.id}")


async def _end(engine: Engine, container: Container) -> None:
    """End this run, without a word about the next."""
    ended = container.waiter("next-exit")
    for number, timeout_s in ((stop_signal(container, ""), stop_timeout_s(container)), (int(signal.SIGKILL), -1)):
        await send(engine, container, number)
        announce(engine, container, "kill", signal=str(number))
        done, _ = await asyncio.wait((ended,), timeout=None if timeout_s < 0 else timeout_s)
        if done:
            return
