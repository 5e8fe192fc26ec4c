"""`docker login`: the registry says whether credentials are good."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from tests.support.daemon import PrivateDaemon
from tests.support.fake_registry import serving

GOOD = "Basic " + base64.b64encode(b"user:right").decode()


async def _basic(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Authorization") == GOOD:
        return web.json_response({})
    return web.json_response({}, status=401, headers={"WWW-Authenticate": 'Basic realm="r"'})


async def _token(request: web.Request) -> web.StreamResponse:
    if request.path == "/token":
        assert "scope" not in request.query
        if request.headers.get("Authorization") != GOOD:
            return web.json_response({}, status=401)
        return web.json_response({"token": "abc"})
    if request.headers.get("Authorization") == "Bearer abc":
        return web.json_response({})
    realm = f'Bearer realm="http://{request.host}/token",service="tests"'
    return web.json_response({}, status=401, headers={"WWW-Authenticate": realm})


@pytest.mark.parametrize("registry", [_basic, _token])
async def test_credentials_are_checked(
    engine: PrivateDaemon, registry: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> None:
    async with serving(registry) as port:
        host = f"127.0.0.1:{port}"
        flags = ("login", "-u", "user", "--password-stdin", host)
        good = await asyncio.to_thread(engine.docker, *flags, input="right")
        assert "Login Succeeded" in good.stdout
        await asyncio.to_thread(engine.docker, "logout", host)
        bad = await asyncio.to_thread(engine.docker, *flags, input="wrong", check=False)
    assert bad.returncode != 0
    assert "unauthorized" in bad.stderr.lower()
