"""Which user namespace a container gets: the host's, or under `--userns-remap` one of its own or that of another.

Namespaces that a container joins are owned by the user namespace of the one that has them: it joins that one then.

Source: docs.docker.com, "Isolate containers with a user namespace"; user_namespaces(7).
"""

from __future__ import annotations

import os

from windlass.base.errors import Conflict, InvalidParameter
from windlass.engine.containers.container import Container
from windlass.engine.containers.foreign import runtime_of
from windlass.engine.containers.model import Intent
from windlass.engine.containers.network_wishes import has_own_network
from windlass.engine.engine import Engine
from windlass.engine.errors import NotRunning
from windlass.runtime.intent import UserNamespaceIntent
from windlass.runtime.namespaces import check_remapped, joined_container
from windlass.runtime.task import NetNs
from windlass.spec.container import HostConfig
from windlass.spec.id_mappings import IdMappings
from windlass.spec.plan import IdRange
from windlass.spec.runtime import IdMapping

_HOST = UserNamespaceIntent("host")


def mappings_for(engine: Engine, host: HostConfig) -> IdMappings | None:
    """Return the mappings that a container is to have; None when its users are the host's."""
    return None if host.userns_mode == "host" else engine.id_mappings


def check_user_namespace(engine: Engine, intent: Intent) -> None:
    """Refuse what a remapped container cannot have; nothing is looked up on the host.

    Raises:
        InvalidParameter: in dockerd's words where it has any.
    """
    host = intent.host_config
    if mappings_for(engine, host) is None:
        return
    check_remapped(host)
    if runtime_of(engine, intent) is not None:
        raise InvalidParameter(
            f"the runtime {host.runtime} cannot make containers with remapped users: run the container in the host "
            "namespace (--userns=host), or without --runtime"
        )


def user_namespace(engine: Engine, intent: Intent, *, look_at_host: bool = True) -> UserNamespaceIntent:
    """Return which user namespace a container gets or, when it runs, has.

    Without `look_at_host` nothing is checked, and it is as if none was joined.

    Raises:
        InvalidParameter: what it asks for needs the host's users.
        Conflict: it joins namespaces of containers whose users are mapped otherwise.
        NotRunning: it joins those of a container that has ended.
    """
    mappings = mappings_for(engine, intent.host_config)
    if look_at_host:
        container = engine.containers.find(intent.id)
        if container is not None and container.task is not None and container.state.is_running:
            # An engine with other settings may have started it.
            return _namespace_of(container)
        joined = [(donor, _namespace_of(donor)) for donor in _donors(engine, intent.host_config)]
        for donor, found in joined:
            _check_joined(donor, found, joined[0][1], remapped=mappings is not None)
        check_user_namespace(engine, intent)
        if joined:
            return joined[0][1]
    if mappings is None:
        return _HOST
    return UserNamespaceIntent("private", uids=_said(mappings.uids), gids=_said(mappings.gids))


def _said(ranges: tuple[IdRange, ...]) -> list[IdMapping]:
    return [IdMapping(one.inside, one.outside, one.size) for one in ranges]


def _donors(engine: Engine, host: HostConfig) -> list[Container]:
    """Return the containers some of whose namespaces are joined, each once."""
    references = map(joined_container, (host.network_mode, host.ipc_mode, host.pid_mode))
    found = [engine.containers.get(reference) for reference in references if reference]
    return list({container.id: container for container in found}.values())


def _namespace_of(container: Container) -> UserNamespaceIntent:
    path = f"/proc/{container.state.pid}/ns/user"
    try:
        return _HOST if _is_same(path, "/proc/self/ns/user") else UserNamespaceIntent("join", path)
    except OSError:
        raise NotRunning(container.id) from None


def _is_same(path: str, other: str) -> bool:
    return path == other or os.path.samestat(os.stat(path), os.stat(other))


def _check_joined(donor: Container, found: UserNamespaceIntent, first: UserNamespaceIntent, *, remapped: bool) -> None:
    if found.remapped and not remapped:
        raise Conflict(
            f"cannot join namespaces of container {donor.id}: its users are remapped and those of this container are "
            "not (--userns=host, or an engine without --userns-remap)"
        )
    if remapped and not found.remapped:
        raise Conflict(
            f"cannot join namespaces of container {donor.id}: its users are the host's and those of this container are "
            "remapped; run this one in the host namespace (--userns=host) too, or restart that one if it was started "
            "without --userns-remap"
        )
    if found.remapped and not _is_same(found.path, first.path):
        raise Conflict(
            f"cannot join namespaces of container {donor.id} and of another one: each has a user namespace of its own"
        )


async def take_namespaces(engine: Engine, intent: Intent) -> tuple[NetNs | None, int]:
    """Return the new network namespace of a container that has one of its own, and its user namespace (-1: the host's).

    Both are the caller's; with a network namespace, the user namespace is closed together with it (`discard`).

    Raises:
        WindlassError: it cannot be had.
    """
    wanted = user_namespace(engine, intent)
    own_network = has_own_network(intent.host_config.network_mode)
    if wanted.mode == "join":
        return await _join(engine, wanted.path, own_network=own_network)
    if not wanted.remapped:
        return (await engine.namespaces.take() if own_network else None), -1
    made = await engine.namespaces.take(engine.id_mappings)
    if own_network:
        return made, made.userns_fd
    os.close(made.netns_fd)
    made.route_socket.close()
    return None, made.userns_fd


async def _join(engine: Engine, path: str, *, own_network: bool) -> tuple[NetNs | None, int]:
    try:
        owner = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        raise Conflict("the container whose namespaces are to be joined has ended") from None
    if not own_network:
        return None, owner
    try:
        made = await engine.launcher.new_netns(userns_fd=owner)
    finally:
        os.close(owner)
    return made, made.userns_fd
