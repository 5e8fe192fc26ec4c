"""`POST /containers/{id}/exec`."""

from __future__ import annotations

from windlass.base.errors import Conflict, InvalidParameter
from windlass.base.ids import new_id
from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.engine import Engine
from windlass.engine.errors import NotRunning
from windlass.engine.execs.table import Exec, ExecConfig
from windlass.runtime.lower_spec import working_directory


def create_exec(engine: Engine, reference: str, config: ExecConfig) -> str:
    """Record a process to be started in a running container; return its id.

    Raises:
        NoSuchContainer, Conflict: not running, or paused.
        InvalidParameter: no command.
    """
    container = engine.containers.get(reference)
    check_running(container)
    if not config.argv or not config.argv[0]:
        raise InvalidParameter("No exec command specified")
    for entry in config.env or ():
        if not entry or entry.startswith("="):
            raise InvalidParameter(f"invalid environment variable: {entry}")
    working_directory(config.working_dir)
    exec_ = Exec(new_id(), container, config)
    engine.execs.add(exec_)
    announce(engine, container, f"exec_create: {' '.join(config.argv)}", execID=exec_.id)
    return exec_.id


def check_running(container: Container) -> None:
    """Refuse a container in which no process can be started.

    Raises:
        Conflict: in dockerd's words.
    """
    status = container.state.status
    if status == "paused":
        raise Conflict(f"container {container.id} is paused, unpause the container before exec")
    if status == "restarting":
        raise Conflict(f"container {container.id} is restarting, wait until the container is running")
    if status != "running" or container.task is None:
        raise NotRunning(container.id)
