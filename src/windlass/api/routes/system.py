"""`/_ping`, `/version`, `/info`, `/events`, `/system/df`, `/auth`."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import msgspec
from aiohttp import web

from windlass.api.bodies import read_json
from windlass.api.call import Call, reply
from windlass.api.progress import open_stream
from windlass.api.router import Route
from windlass.base.clock import now_ns
from windlass.distribution.credentials import Credentials
from windlass.engine.system import disk_usage, info, version
from windlass.engine.times import parse_time_ns

_PING_HEADERS = {
    "Builder-Version": "1",
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "Pragma": "no-cache",
    "Swarm": "inactive",
}


async def _ping(call: Call) -> web.StreamResponse:
    body = b"" if call.request.method == "HEAD" else b"OK"
    return web.Response(body=body, headers=_PING_HEADERS, content_type="text/plain", charset="utf-8")


async def _version(call: Call) -> web.StreamResponse:
    return reply(version(call.engine))


async def _info(call: Call) -> web.StreamResponse:
    return reply(await info(call.engine))


async def _disk_usage(call: Call) -> web.StreamResponse:
    return reply(await disk_usage(call.engine, call.texts("type")))


async def _events(call: Call) -> web.StreamResponse:
    moment = now_ns()
    since, until = call.text("since"), call.text("until")
    occurrences = call.engine.events.follow(
        parse_time_ns(since, moment) if since else None,
        parse_time_ns(until, moment) if until else None,
        call.filters,
    )
    response = await open_stream(call)

    async def send() -> None:
        async with aclosing(occurrences) as lines:
            async for line in lines:
                await response.write(line)

    # A client that goes away while nothing happens is only noticed here.
    sending = asyncio.ensure_future(send())
    try:
        await asyncio.wait((sending, call.connection.lost), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return response


class AuthBody(msgspec.Struct):
    """Source: Engine API, AuthConfig."""

    username: str = ""
    password: str = ""
    serveraddress: str = ""
    identitytoken: str = ""

    def __repr__(self) -> str:
        return "AuthBody(...)"


async def _auth(call: Call) -> web.StreamResponse:
    body = await read_json(call.request, AuthBody)
    credentials = Credentials(body.username, body.password, body.identitytoken)
    await call.engine.images.log_in(body.serveraddress, credentials)
    return reply({"Status": "Login Succeeded", "IdentityToken": body.identitytoken})


async def _prune_build_cache(_call: Call) -> web.StreamResponse:
    """There is no builder yet, and so no cache: `system prune` asks all the same."""
    return reply({"CachesDeleted": None, "SpaceReclaimed": 0})


ROUTES = (
    Route("GET", "/_ping", _ping),
    Route("HEAD", "/_ping", _ping),
    Route("GET", "/version", _version),
    Route("GET", "/info", _info),
    Route("GET", "/events", _events),
    Route("GET", "/system/df", _disk_usage),
    Route("POST", "/auth", _auth),
    Route("POST", "/build/prune", _prune_build_cache),
)
