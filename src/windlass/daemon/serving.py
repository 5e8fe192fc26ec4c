"""The daemon's life between ready and stopped."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket
from contextlib import AsyncExitStack

from aiohttp import web

from windlass import __version__
from windlass.api.app import make_server
from windlass.api.bounds import DEFAULT_CONNECTIONS
from windlass.api.observing import Observer
from windlass.api.server import ApiServer
from windlass.base import logging as log
from windlass.base.errors import Conflict, WindlassError
from windlass.daemon.audit import AuditLog
from windlass.daemon.checks import split_address
from windlass.daemon.configuration import Configuration, load, parse_size
from windlass.daemon.listeners import open_listeners, remove_sockets
from windlass.daemon.metrics import Metrics, metrics_server
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
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        observers = [metrics.observe, *await _open_audit(configuration, stack)]
        engine = await stack.enter_async_context(open_engine(configuration))
        server = make_server(engine, observers, _most_connections())
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=_GRACE_S)
        await runner.setup()
        encrypted = await _start(runner, server, listeners, policy)
        if address := configuration.text("metrics-addr"):
            await _serve_metrics(metrics_server(metrics, engine, server), address, stack)
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


def _most_connections() -> int:
    """A quarter of the descriptors: containers, logs and images need the others."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(64, min(DEFAULT_CONNECTIONS, files // 4))


async def _open_audit(configuration: Configuration, stack: AsyncExitStack) -> list[Observer]:
    path = configuration.text("audit-log")
    if not path:
        return []
    size = parse_size(configuration.text("audit-log-max-size"))
    audit = await asyncio.to_thread(AuditLog, path, size, configuration.number("audit-log-max-file"))
    stack.push_async_callback(asyncio.to_thread, audit.close)
    return [audit.observe]


async def _serve_metrics(server: ApiServer, address: str, stack: AsyncExitStack) -> None:
    host, port = split_address(address)
    runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=_GRACE_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port, reuse_address=True).start()
    except OSError as error:
        raise Conflict(f"listen tcp {address}: bind: {os.strerror(error.errno or 0).lower()}") from None


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
