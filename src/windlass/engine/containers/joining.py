"""Containers whose namespaces another one joins: named when it is created, looked at when it starts.

Source: Engine API, HostConfig.NetworkMode, IpcMode and PidMode; the texts are dockerd's.
"""

from __future__ import annotations

from windlass.base.errors import Conflict, InvalidParameter, System
from windlass.engine.containers.container import Container
from windlass.engine.engine import Engine
from windlass.engine.errors import AmbiguousPrefix, NoSuchContainer
from windlass.runtime.namespaces import joined_container
from windlass.spec.container import HostConfig

_NO_DONORS = frozenset({"private", "none"})


def fix_joined(engine: Engine, host: HostConfig) -> None:
    """Replace names in the modes by ids, in place: a container renamed later is still the one that was meant.

    Raises:
        InvalidParameter: there is no such container. Not NotFound: clients take that of a creation for the image's.
    """
    host.network_mode = _by_id(engine, host.network_mode)
    host.ipc_mode = _by_id(engine, host.ipc_mode)
    host.pid_mode = _by_id(engine, host.pid_mode)


def _by_id(engine: Engine, mode: str) -> str:
    target = joined_container(mode)
    if not target:
        return mode
    try:
        return f"container:{engine.containers.get(target).id}"
    except (NoSuchContainer, AmbiguousPrefix) as error:
        raise InvalidParameter(error.message) from error


def network_donor(engine: Engine, container_id: str) -> int:
    """Return the pid whose network namespace is to be joined.

    Raises:
        Conflict: the container does not run.
    """
    container = engine.containers.get(container_id)
    if not _runs(container):
        raise Conflict(f"cannot join network of a non running container: {container.id}")
    return container.state.pid


def pid_donor(engine: Engine, container_id: str) -> int:
    """Return the pid whose pid namespace is to be joined.

    Raises:
        System: the container does not run.
    """
    return _donor(engine, container_id, "PID").state.pid


def ipc_donor(engine: Engine, container_id: str) -> int:
    """Return the pid whose IPC namespace and /dev/shm are to be shared.

    Raises:
        System: the container does not run, or keeps them to itself.
    """
    container = _donor(engine, container_id, "IPC")
    if container.intent.host_config.ipc_mode in _NO_DONORS:
        raise System(
            f"failed to join IPC namespace: container {container.id}: "
            "non-shareable IPC (hint: use IpcMode:shareable for the donor container)"
        )
    return container.state.pid


def _donor(engine: Engine, container_id: str, kind: str) -> Container:
    container = engine.containers.get(container_id)
    if not _runs(container):
        raise System(f"failed to join {kind} namespace: container {container.id} is not running")
    return container


def _runs(container: Container) -> bool:
    return container.state.is_running and bool(container.state.pid)
