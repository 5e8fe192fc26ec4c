"""`attach`: a client's connection goes to the supervisor, or waits for one."""

from __future__ import annotations

import logging
import os

from windlass.base.errors import Conflict, WindlassError
from windlass.base.logging import event
from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container, Pending
from windlass.engine.engine import Engine
from windlass.runtime.task import Attachment, TaskGone

_log = logging.getLogger(__name__)


def attachable(engine: Engine, reference: str) -> Container:
    """Return a container that can be attached to.

    Raises:
        NoSuchContainer, Conflict: it is paused or restarting.
    """
    container = engine.containers.get(reference)
    if container.state.status == "paused":
        raise Conflict(f"container {reference} is paused, unpause the container before attach")
    if container.state.status == "restarting":
        raise Conflict(f"container {reference} is restarting, wait until the container is running")
    return container


async def attach(engine: Engine, container: Container, attachment: Attachment) -> None:
    """Hand a client's connection over; ours is closed when this returns or, before a start, at the start.

    The client of a container that has ended gets the end of its stream.
    """
    kept = False
    try:
        task = container.task
        if task is not None:
            await task.attach(attachment)
        elif not container.removed and container.state.status in ("created", "exited"):
            container.pending.append(Pending(attachment))
            kept = True
        announce(engine, container, "attach")
    except TaskGone:
        # It ended between the question and the answer: the stream ends with it.
        return
    except WindlassError as error:
        event(_log, logging.WARNING, "attach failed", container=container.id, error=error)
    finally:
        if not kept:
            os.close(attachment.connection)
