"""The whole API: every route of every noun."""

from __future__ import annotations

from collections.abc import Sequence

from windlass.api.bounds import DEFAULT_CONNECTIONS
from windlass.api.observing import Observer
from windlass.api.routes import containers, files, images, networks, streams, system, unsupported, volumes
from windlass.api.server import ApiServer
from windlass.engine.engine import Engine


def make_server(
    engine: Engine, observers: Sequence[Observer] = (), connections: int = DEFAULT_CONNECTIONS
) -> ApiServer:
    """Return the server, to be given connections by the listeners; `observers` are told of each request."""
    routes = (
        *system.ROUTES,
        *containers.ROUTES,
        *streams.ROUTES,
        *files.ROUTES,
        *images.ROUTES,
        *networks.ROUTES,
        *volumes.ROUTES,
        *unsupported.ROUTES,
    )
    return ApiServer(engine, routes, observers, connections)
