"""`resize`: the size of a container's terminal."""

from __future__ import annotations

from windlass.engine.containers.announce import announce
from windlass.engine.engine import Engine
from windlass.engine.errors import NotRunning
from windlass.runtime.task import TaskGone


async def resize(engine: Engine, reference: str, rows: int, columns: int) -> None:
    """Set the size of the terminal; without a terminal nothing happens.

    Raises:
        NoSuchContainer, Conflict: it is not running.
    """
    container = engine.containers.get(reference)
    task = container.task
    if task is None:
        raise NotRunning(container.id)
    try:
        await task.resize(rows, columns)
    except TaskGone as error:
        raise NotRunning(container.id) from error
    announce(engine, container, "resize", height=str(rows), width=str(columns))
