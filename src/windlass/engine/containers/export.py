"""`export`: a container's files as one tar, without what is mounted there."""

from __future__ import annotations

import msgspec

from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.containers.reach import layers_root
from windlass.engine.engine import Engine


async def export(engine: Engine, container: Container, fd: int) -> None:
    """Write the tar to `fd`, a client's connection, which stays the caller's to close.

    Raises:
        Cancelled: the client went away.
        WindlassError: the host refused.
    """
    params = msgspec.to_builtins(layers_root(engine, container))
    await engine.launcher.run_job("files-export", params, [fd])
    announce(engine, container, "export")
