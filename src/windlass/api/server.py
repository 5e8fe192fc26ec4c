"""The HTTP server: every request through one function, every error to one shape.

Source: Engine API, "Errors": `{"message": ...}`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any

from aiohttp import web

from windlass.api.bounds import DEFAULT_CONNECTIONS, Bounds
from windlass.api.call import Call, reply
from windlass.api.connection import Connection
from windlass.api.headers import common_headers
from windlass.api.observing import Answered, Observer
from windlass.api.router import Route, Router
from windlass.api.status import os_error_text, status_of
from windlass.api.versions import split_version
from windlass.base.errors import Forbidden, WindlassError
from windlass.base.logging import event
from windlass.engine.engine import Engine

# Detached clients keep connections; a head of more than this is nobody's.
_LINE_LIMIT_BYTES = 32 * 1024
_KEEPALIVE_S = 3600.0
# What is written down of a request whose client went away before the answer. Source: nginx's access log.
_CLIENT_GONE = 499
_log = logging.getLogger(__name__)


class ApiServer(web.Server):
    """Makes a `Connection` for each client, and answers its requests from the table of routes."""

    def __init__(
        self,
        engine: Engine,
        routes: Iterable[Route],
        observers: Sequence[Observer] = (),
        connections: int = DEFAULT_CONNECTIONS,
    ) -> None:
        super().__init__(
            self._answer,
            access_log=None,
            keepalive_timeout=_KEEPALIVE_S,
            max_line_size=_LINE_LIMIT_BYTES,
            max_field_size=_LINE_LIMIT_BYTES,
            # Bodies are archives as often as not: they are passed on as they come.
            auto_decompress=False,
        )
        self._engine = engine
        self._router = Router(routes)
        self._headers = common_headers(engine.settings.version)
        self._observers = observers
        self.bounds = Bounds(connections)

    def __call__(self) -> Connection:
        """Make a protocol for a new client."""
        return Connection(self.bounds, self, loop=self._loop, **self._kwargs)

    def connect(self, subject: str) -> Connection:
        """Make a protocol for a client whom somebody else has asked who it is."""
        connection = self()
        connection.subject = subject
        return connection

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        connection: Any = request.protocol
        connection.begin()
        began_s = time.monotonic()
        status = _CLIENT_GONE
        try:
            response = await self._handle(request)
            status = response.status
        finally:
            self._tell(request, status, time.monotonic() - began_s)
            connection.end(is_read=request.content.is_eof())
            connection.refuse_upgrade()
        if not response.prepared:
            response.headers.update(self._headers)
        return response

    def _tell(self, request: web.BaseRequest, status: int, duration_s: float) -> None:
        connection: Any = request.protocol
        answered = Answered(request.method, request.path, status, duration_s, connection.peer)
        for observe in self._observers:
            observe(answered)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            _refuse_browsers(request)
            version, path = split_version(request.path)
            handler, params = self._router.find(request.method, path)
            response = await handler(Call(self._engine, request, version, params))
        except WindlassError as error:
            response = self._refuse(request, status_of(error), error.message)
        except OSError as error:
            event(_log, logging.ERROR, "request failed", method=request.method, path=request.path, error=error)
            response = self._refuse(request, 500, os_error_text(error))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            _log.exception("request failed", extra={"fields": {"method": request.method, "path": request.path}})
            response = self._refuse(request, 500, f"{type(error).__name__}: {error}")
        event(_log, logging.DEBUG, "request", method=request.method, path=request.path, status=response.status)
        return response

    @staticmethod
    def _refuse(request: web.BaseRequest, status: int, message: str) -> web.StreamResponse:
        if status == 304:
            return web.Response(status=304)
        return reply({"message": message}, status)


def _refuse_browsers(request: web.BaseRequest) -> None:
    """No client of the API is a page: one that reaches a loopback listener must not start containers for its visitor.

    Raises:
        Forbidden: the request comes from a page.
    """
    if "Origin" in request.headers:
        raise Forbidden("requests from web pages are refused")
