"""`create`: everything about a container is settled and checked here, so that `start` only does."""

from __future__ import annotations

import logging
import os
import socket
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from windlass.base.clock import now_ns
from windlass.base.errors import InvalidParameter, System
from windlass.base.ids import SHORT_ID_LENGTH, is_valid_name, new_id
from windlass.base.logging import event
from windlass.base.threads import run_blocking
from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.containers.foreign import runtime_of
from windlass.engine.containers.joining import fix_joined
from windlass.engine.containers.links import settle_links
from windlass.engine.containers.lowering import container_intent
from windlass.engine.containers.merge import merge_config
from windlass.engine.containers.model import Intent
from windlass.engine.containers.modes import complete_host_config
from windlass.engine.containers.mount_points import resolve_mounts
from windlass.engine.containers.network_wishes import check_ports, has_own_network, wanted_networks
from windlass.engine.containers.signals import parse_signal
from windlass.engine.containers.user_namespaces import check_user_namespace, mappings_for
from windlass.engine.engine import Engine
from windlass.engine.errors import AmbiguousPrefix, NoSuchContainer
from windlass.engine.health.on_failure import check_on_failure
from windlass.engine.names import random_name
from windlass.engine.paths import ContainerPaths
from windlass.runtime.check_container import check_container
from windlass.runtime.init_program import keeps_launcher
from windlass.runtime.intent import ContainerIntent
from windlass.runtime.lower_spec import lower_container
from windlass.runtime.namespaces import joined_container
from windlass.spec.container import ContainerConfig, HostConfig, NetworkingConfig

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """What `POST /containers/create` carries; an empty name asks for a random one."""

    config: ContainerConfig
    host_config: HostConfig
    networking: NetworkingConfig
    name: str = ""
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Created:
    """The new container, and what the user should know about it."""

    id: str
    warnings: list[str] = field(default_factory=list)


async def create(engine: Engine, request: CreateRequest) -> Created:
    """Make a container. Nothing is left behind when that fails.

    Raises:
        InvalidParameter, NotFound, Conflict, NotSupported: in dockerd's words.
    """
    container_id = new_id()
    name = _name(engine, request.name)
    with engine.containers.reserved_name(name, container_id):
        image = await engine.images.resolve(request.config.image)
        config, host = request.config, request.host_config
        argv = merge_config(config, image.config.config)
        check_on_failure(config.labels, auto_remove=host.auto_remove)
        complete_host_config(host, engine.settings, engine.facts, bridged=engine.networks.has_bridge)
        fix_joined(engine, host)
        settle_links(engine, host)
        mappings = mappings_for(engine, host)
        if mappings is not None or has_own_network(host.network_mode):
            # It will be started in a moment.
            engine.namespaces.prepare(mappings)
        if config.stop_signal:
            parse_signal(config.stop_signal)
        check_ports(config, host)
        host, warnings = check_container(config, host, engine.facts, engine.defaults)
        networks = wanted_networks(engine, config, host, request.networking)
        config.hostname = _hostname(engine, config, host, container_id)
        intent = Intent(container_id, name, now_ns(), image.id, config, host, networks, [], argv)
        # What the lowering refuses is refused now, before anything is made for the container.
        check_user_namespace(engine, intent)
        lowered = container_intent(engine, intent, look_at_host=False)
        lower_container(lowered)
        _check_init(engine, intent, lowered)
        mounts = await resolve_mounts(engine, config, host, image)
        try:
            container = await _record(engine, msgspec.structs.replace(intent, mounts=mounts))
        except BaseException:
            await engine.volumes.drop_anonymous(point.name for point in mounts)
            raise
    announce(engine, container, "create")
    event(_log, logging.INFO, "container created", container=container_id, name=name, image=image.id)
    return Created(container_id, warnings)


def _check_init(engine: Engine, intent: Intent, lowered: ContainerIntent) -> None:
    if keeps_launcher(lowered) and runtime_of(engine, intent) is not None:
        raise InvalidParameter(
            f"the runtime {intent.host_config.runtime} has no init to stay in a container: "
            "--init with it needs an engine with --init-path"
        )


def _name(engine: Engine, wanted: str) -> str:
    name = wanted.removeprefix("/")
    if not name:
        return random_name(engine.containers.is_name_taken)
    if not is_valid_name(name):
        raise InvalidParameter(f"Invalid container name ({wanted}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    return name


def _hostname(engine: Engine, config: ContainerConfig, host: HostConfig, container_id: str) -> str:
    """Who shares another's network shares its name, unless the user chose one."""
    if config.hostname:
        return config.hostname
    if target := joined_container(host.network_mode):
        with suppress(NoSuchContainer, AmbiguousPrefix):
            return engine.containers.get(target).intent.config.hostname
    if host.network_mode == "host" or host.uts_mode == "host":
        return socket.gethostname()
    return container_id[:SHORT_ID_LENGTH]


async def _record(engine: Engine, intent: Intent) -> Container:
    paths = engine.paths.container(intent.id)
    await run_blocking(make_directories, paths)
    try:
        return await engine.containers.add(intent)
    except BaseException:
        await run_blocking(_remove_directories, paths)
        raise


def make_directories(paths: ContainerPaths) -> None:
    """Make a container's directories.

    Raises:
        System: the host refused.
    """
    try:
        # 0710: the host's users shall not reach set-id files of containers (CVE-2021-41091).
        os.mkdir(paths.base, 0o710)
        for path, mode in ((paths.rootfs, 0o755), (paths.upper, 0o755), (paths.work, 0o700)):
            os.mkdir(path, mode)
            os.chmod(path, mode)
    except OSError as error:
        _remove_directories(paths)
        raise System(f"mkdir {error.filename}: {(error.strerror or '').lower()}") from error


def _remove_directories(paths: ContainerPaths) -> None:
    for path in (paths.rootfs, paths.upper, paths.work, paths.base):
        try:
            os.rmdir(path)
        except FileNotFoundError:
            continue
