"""One request from its first byte to its response: version, route, handler, error, headers."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from windlass.api import versions
from windlass.api.errors import error_response, page_not_found, status_of
from windlass.api.hijack import UpgradeProtocol
from windlass.api.router import Call, Router
from windlass.base.logging import event

_log = logging.getLogger(__name__)


class Dispatcher:
    """The handler of `web.Server`: finds who serves a request and answers for whom raises."""

    def __init__(self, router: Router, server: str) -> None:
        self._router = router
        self._headers = {
            "Api-Version": versions.text(versions.API_VERSION),
            "Docker-Experimental": "false",
            "Ostype": "linux",
            "Server": server,
        }

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request."""
        try:
            response = await self._serve(request)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            response = self._failed(request, error)
        if not response.prepared:
            for name, value in self._headers.items():
                response.headers.setdefault(name, value)
            if isinstance(request.protocol, UpgradeProtocol) and request.protocol.upgrading:
                response.force_close()
        return response

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        version, path = versions.split(request.rel_url.raw_path)
        found = self._router.find(request.method, path)
        if found is None:
            return page_not_found()
        handler, parameters = found
        return await handler(Call(request, version, parameters))

    def _failed(self, request: web.BaseRequest, error: Exception) -> web.StreamResponse:
        if status_of(error) >= 500:
            event(
                _log,
                logging.ERROR,
                "request failed",
                method=request.method,
                path=request.rel_url.raw_path,
                error=repr(error),
            )
            _log.debug("request failed here", exc_info=error)
        return error_response(error)
