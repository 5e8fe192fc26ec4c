"""A container's network namespace, its interfaces, and the three files in its /etc that follow from them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from windlass.base.errors import WindlassError
from windlass.base.logging import event
from windlass.base.threads import run_blocking
from windlass.engine.containers.links import host_lines
from windlass.engine.containers.model import EndpointState, Intent
from windlass.engine.containers.network_wishes import endpoint_wishes
from windlass.engine.containers.user_namespaces import take_namespaces
from windlass.engine.engine import Engine
from windlass.engine.networks.networks import Attached, EndpointWish
from windlass.engine.networks.spare import discard
from windlass.network import resolvconf
from windlass.network.hostfiles import hostname_file, hosts_file
from windlass.runtime.namespaces import joined_container
from windlass.runtime.task import NetNs

_HOSTS = "/etc/hosts"
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Connection:
    """What was made for one start; descriptors are closed once the supervisor has its copies.

    `userns_fd` is the container's user namespace, -1 for the host's.
    """

    netns: NetNs | None = None
    userns_fd: int = -1
    attached: list[Attached] = field(default_factory=list)

    @property
    def netns_fd(self) -> int:
        """The namespace, or -1."""
        return self.netns.netns_fd if self.netns is not None else -1

    @property
    def endpoints(self) -> list[EndpointState]:
        """The container's places on its networks."""
        return [attached.state for attached in self.attached]

    @property
    def holds(self) -> list[int]:
        """Descriptors that keep published ports reserved."""
        return [hold.fileno() for attached in self.attached for hold in attached.holds]

    def close(self) -> None:
        """Close our descriptors. The namespace lives on with the container."""
        for attached in self.attached:
            attached.close_holds()
        if self.netns is not None:
            discard(self.netns)
            self.netns = None
        elif self.userns_fd >= 0:
            os.close(self.userns_fd)
        self.userns_fd = -1


async def connect(engine: Engine, intent: Intent) -> Connection:
    """Make a container's network namespace, attach it to its networks, and write its /etc files.

    Raises:
        WindlassError: it cannot be had; nothing remains.
    """
    connection = Connection()
    mode = intent.host_config.network_mode
    try:
        connection.netns, connection.userns_fd = await take_namespaces(engine, intent)
        if connection.netns is not None:
            for name, wish in endpoint_wishes(engine, intent):
                connection.attached.append(await _attach(engine, name, wish, connection.netns))
        if not joined_container(mode):
            await run_blocking(write_etc_files, engine, intent, connection.endpoints)
    except BaseException:
        disconnect(engine, intent, connection)
        raise
    return connection


async def _attach(engine: Engine, name: str, wish: EndpointWish, netns: NetNs) -> Attached:
    try:
        return await engine.networks.attach(name, wish, netns)
    except WindlassError as error:
        # The kind stays: it decides about the status code.
        error.args = (f"failed to set up container networking: {error.message}",)
        error.message = error.args[0]
        raise


def disconnect(engine: Engine, intent: Intent, connection: Connection) -> None:
    """Undo `connect`."""
    engine.networks.detach(intent.id, connection.endpoints)
    connection.close()


def write_etc_files(engine: Engine, intent: Intent, endpoints: Iterable[EndpointState]) -> None:
    """Write hostname, hosts and resolv.conf in place: a running container of an earlier start has them bound. Blocks.

    Raises:
        InvalidParameter: an extra host is malformed.
        OSError: the host refused.
    """
    paths = engine.paths.container(intent.id)
    host = intent.host_config
    is_host = host.network_mode == "host"
    own = resolvconf.read_host()
    if not is_host or host.dns or host.dns_search or host.dns_options:
        settings = engine.settings
        own = resolvconf.for_container(
            own,
            dns=host.dns or settings.dns,
            dns_search=host.dns_search or settings.dns_search,
            dns_options=host.dns_options or settings.dns_options,
        )
    _write(paths.resolv_conf, own.render())
    _write(paths.hostname, hostname_file(intent.config.hostname))
    _write(paths.hosts, _hosts(engine, intent, list(endpoints), is_host=is_host))


def _hosts(engine: Engine, intent: Intent, endpoints: list[EndpointState], *, is_host: bool) -> str:
    extra = intent.host_config.extra_hosts or ()
    if is_host and not extra:
        try:
            with open(_HOSTS, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError as error:
            event(_log, logging.WARNING, "host's hosts file cannot be read", error=error)
    gateway = next((endpoint.gateway for endpoint in endpoints if endpoint.gateway), "")
    return hosts_file(
        intent.config.hostname,
        [endpoint.ip4 for endpoint in endpoints],
        domainname=intent.config.domainname,
        extra_hosts=[*extra, *host_lines(engine, intent)],
        host_gateway=gateway,
    )


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        os.fchmod(fd, 0o644)
        os.write(fd, text.encode())
    finally:
        os.close(fd)
