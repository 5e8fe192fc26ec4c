"""Calls that are known and not offered yet: a clear 501 instead of a 404."""

from __future__ import annotations

from aiohttp import web

from windlass.api.call import Call
from windlass.api.router import Handler, Route
from windlass.base.errors import NotSupported, Unavailable


def _not_yet(what: str) -> Handler:
    async def handler(_call: Call) -> web.StreamResponse:
        raise NotSupported(f"{what} is not supported by this engine yet")

    return handler


async def _no_swarm(_call: Call) -> web.StreamResponse:
    raise Unavailable(
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to '
        "swarm and try again."
    )


_CALLS = (
    ("POST", "/build", "building images"),
    ("POST", "/session", "sessions of the builder"),
    ("POST", "/grpc", "the builder's protocol"),
    ("POST", "/images/{name*}/push", "pushing images"),
    ("GET", "/images/search", "searching registries"),
    ("GET", "/distribution/{name*}/json", "looking at images in registries"),
    ("PUT", "/volumes/{id}", "updating volumes"),
    ("GET", "/plugins", "listing plugins"),
)

ROUTES = (
    *(Route(method, path, _not_yet(what)) for method, path, what in _CALLS),
    *(Route("GET", path, _no_swarm) for path in ("/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs")),
)
