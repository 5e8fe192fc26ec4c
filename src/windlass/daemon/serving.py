"""The daemon's life between ready and stopped."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from windlass import __version__
from windlass.api.app import make_server
from windlass.base import logging as log
from windlass.base.errors import WindlassError
from windlass.daemon.configuration import Configuration, load
from windlass.daemon.listeners import open_listeners, remove_sockets
from windlass.daemon.readiness import answer_parent, notify
from windlass.daemon.wiring import open_engine, reconfigure
from windlass.engine.engine import Engine

_log = logging.getLogger("windlass.daemon")

# Requests under way get this long when the daemon stops; streams that never end are cut.
_GRACE_S = 2.0


async def serve(configuration: Configuration, argv: list[str], stop: asyncio.Event, reload: asyncio.Event) -> None:
    """Serve until `stop` is set; read the configuration again whenever `reload` is.

    Raises:
        WindlassError, OSError: the engine or a listener could not be opened.
    """
    listeners = open_listeners(configuration.hosts, configuration.text("group"))
    async with open_engine(configuration) as engine:
        runner = web.ServerRunner(make_server(engine), handle_signals=False, shutdown_timeout=_GRACE_S)
        await runner.setup()
        for listener in listeners:
            await web.SockSite(runner, listener).start()
        log.event(_log, logging.INFO, "daemon ready", version=__version__, hosts=",".join(configuration.hosts))
        answer_parent("ready")
        notify("READY=1")
        await _until_stopped(engine, argv, stop, reload)
        notify("STOPPING=1")
        engine.closing = True
        await runner.cleanup()
        remove_sockets(configuration.hosts)
    log.event(_log, logging.INFO, "daemon stopped")


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
            log.configure(configuration.log_level, configuration.text("log-format"))
            reconfigure(engine, configuration)
            log.event(_log, logging.INFO, "configuration reloaded")
        except WindlassError as error:
            log.event(_log, logging.ERROR, "configuration not reloaded", error=error.message)
        notify("READY=1")
