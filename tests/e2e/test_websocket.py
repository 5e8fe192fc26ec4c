"""Attaching by websocket, with another's client."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from tests.support.daemon import PrivateDaemon

pytestmark = [pytest.mark.root, pytest.mark.asyncio]


async def _talk(engine: PrivateDaemon, name: str, query: str, *words: str, version: str = "1.50") -> list[object]:
    """Attach, say something, and return what comes until the end."""
    connector = aiohttp.UnixConnector(path=str(engine.socket))
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(20)) as session:
        url = f"http://d/v{version}/containers/{name}/attach/ws?{query}"
        async with session.ws_connect(url) as client:
            for word in words:
                await client.send_str(word)
            async with asyncio.timeout(20):
                return [message.data async for message in client]


async def test_what_is_said_reaches_the_process_and_its_output_comes_back(engine: PrivateDaemon) -> None:
    engine.docker("run", "-di", "--name", "ws", "busybox", "sh", "-c", "read x; echo got $x; echo err >&2; exit 3")
    try:
        said = await _talk(engine, "ws", "stream=1&stdin=1&stdout=1&stderr=1", "hello\n")
        assert b"".join(said) in (b"got hello\nerr\n", b"err\ngot hello\n")  # type: ignore[arg-type]
        assert engine.docker("wait", "ws").stdout == "3\n"
        assert await _talk(engine, "ws", "logs=1&stdout=1") == [b"got hello\n"]
        assert await _talk(engine, "ws", "logs=1&stdout=1", version="1.24") == ["got hello\n"]
    finally:
        engine.docker("rm", "-f", "ws")


async def test_a_client_that_leaves_leaves_the_container(engine: PrivateDaemon) -> None:
    engine.docker("run", "-di", "--name", "ws", "busybox", "sh", "-c", "while :; do echo tick; sleep 0.02; done")
    try:
        connector = aiohttp.UnixConnector(path=str(engine.socket))
        url = "http://d/containers/ws/attach/ws?stream=1&stdout=1"
        async with aiohttp.ClientSession(connector=connector) as session, session.ws_connect(url) as client:
            assert b"tick" in (await client.receive_bytes(timeout=20))
        assert engine.docker("inspect", "-f", "{{.State.Running}}", "ws").stdout == "true\n"
    finally:
        engine.docker("rm", "-f", "ws")


async def test_pages_and_nobody_s_containers_are_refused(engine: PrivateDaemon) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await _talk(engine, "nobody", "stream=1")
    assert caught.value.status == 404
    connector = aiohttp.UnixConnector(path=str(engine.socket))
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect("http://d/containers/nobody/attach/ws", origin="http://page")
        assert caught.value.status == 403
