"""The daemon's life between ready and stopped."""

from __future__ import annotations

import asyncio
import logging
import socket

from aiohttp import web

from windlass import __version__
from windlass.api.app import make_server
from windlass.api.server import ApiServer
from windlass.base import logging as log
from windlass.base.errors import WindlassError
from windlass.daemon.configuration import Configuration, load
from windlass.daemon.listeners import open_listeners, remove_sockets
from windlass.daemon.readiness import answer_parent, notify
from windlass.daemon.reloading import take_over
from windlass.daemon.tls import TcpPolicy, tcp_policy
from windlass.daemon.tls_relay import TlsListener
from windlass.daemon.wiring import open_engine
from windlass.engine.engine import Engine

_log = logging.getLogger("windlass.daemon")

# Requests under way get this long when the daemon stops; streams that never end are cut.
_GRACE_S = 2.0


async def serve(configuration: Configuration, argv: list[str], stop: asyncio.Event, reload: asyncio.Event) -> None:
    """Serve until `stop` is set; read the configuration again whenever `reload` is.

    Raises:
        WindlassError, OSError: the engine or a listener could not be opened.
    """
    policy = await asyncio.to_thread(tcp_policy, configuration)
    listeners = open_listeners(configuration.hosts, configuration.text("group"), anywhere=policy.anywhere)
    async with open_engine(configuration) as engine:
        server = make_server(engine)
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=_GRACE_S)
        await runner.setup()
        encrypted = await _start(runner, server, listeners, policy)
        log.event(_log, logging.INFO, "daemon ready", version=__version__, hosts=",".join(configuration.hosts))
        _warn(configuration, policy)
        answer_parent("ready")
        notify("READY=1")
        await _until_stopped(engine, argv, stop, reload)
        notify("STOPPING=1")
        engine.closing = True
        for tls in encrypted:
            await tls.stop_accepting()
        await runner.cleanup()
        for tls in encrypted:
            await tls.close()
        remove_sockets(configuration.hosts)
    log.event(_log, logging.INFO, "daemon stopped")


def _warn(configuration: Configuration, policy: TcpPolicy) -> None:
    """Say what was asked for and is not so, or is not wise."""
    if not configuration.switch("live-restore"):
        log.event(_log, logging.WARNING, "live-restore=false has no effect: containers run on when the daemon stops")
    if policy.anywhere and not policy.verified and any(not host.startswith("unix:") for host in configuration.hosts):
        log.event(_log, logging.WARNING, "Binding to IP address without --tlsverify is insecure and gives root access")


async def _start(
    runner: web.ServerRunner, server: ApiServer, listeners: list[socket.socket], policy: TcpPolicy
) -> list[TlsListener]:
    """Begin to accept on every listener; returns those that speak TLS."""
    encrypted: list[TlsListener] = []

    async def welcome(connection: socket.socket, subject: str) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(lambda: server.connect(subject), connection)

    for listener in listeners:
        if listener.family == socket.AF_UNIX or policy.context is None:
            await web.SockSite(runner, listener).start()
        else:
            encrypted.append(TlsListener(listener, policy.context, welcome))
            encrypted[-1].start()
    return encrypted


async def _until_stopped(engine: Engine, argv: list[str], stop: asyncio.Event, reload: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as group:
        reloading = group.create_task(_reload_whenever(engine, argv, reload), name="reload")
        await stop.wait()
        reloading.cancel()


async def _reload_whenever(engine: Engine, argv: list[str], reload: asyncio.Event) -> None:
    while True:
        await reload.wait()
        reload.clear()
        notify("RELOADING=1")
        try:
            configuration = await asyncio.to_thread(load, argv)
            await take_over(engine, configuration)
            log.configure(configuration.log_level, configuration.text("log-format"))
            log.event(_log, logging.INFO, "configuration reloaded")
        except WindlassError as error:
            log.event(_log, logging.ERROR, "configuration not reloaded", error=error.message)
        notify("READY=1")
