"""Slow, silent and talkative clients: what each may cost, and that others are served all the same."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import web
from tests.support.fake_engine import open_world
from tests.unit.api.conftest import Api

from windlass.api import bodies, connection
from windlass.api.app import make_server
from windlass.api.bodies import BODY_LIMIT_BYTES
from windlass.api.observing import Answered

_PARTIAL = b"GET /_ping HTTP/1.1\r\nHost: x\r\nX-Slow: "


@asynccontextmanager
async def _served(tmp_path: Path, connections: int, seen: list[Answered] | None = None) -> AsyncIterator[Api]:
    async with open_world(tmp_path) as world:
        observers = [] if seen is None else [seen.append]
        runner = web.ServerRunner(make_server(world.engine, observers, connections), shutdown_timeout=0.1)
        await runner.setup()
        path = str(tmp_path / "bounded.sock")
        await web.UnixSite(runner, path).start()
        try:
            yield Api(world, path)
        finally:
            await runner.cleanup()


async def test_clients_that_never_finish_a_head_starve_nobody(tmp_path: Path) -> None:
    async with _served(tmp_path, connections=8) as api:
        slow = [api.raw_socket() for _ in range(30)]
        for client in slow:
            with suppress(BrokenPipeError):
                client.sendall(_PARTIAL)
        for _ in range(3):
            assert (await api.call("GET", "/_ping")).status == 200
        # The oldest were cut; as many as there may be are still there.
        with suppress(ConnectionResetError):
            assert await asyncio.to_thread(slow[0].recv, 1) == b""
        for client in slow:
            client.close()


async def test_idle_connections_make_room_and_busy_ones_stay(tmp_path: Path) -> None:
    async with _served(tmp_path, connections=4) as api:
        reader, writer = await api.open()
        writer.write(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        idle = [await api.open() for _ in range(6)]
        assert (await api.call("GET", "/_ping")).status == 200
        api.world.engine.events.emit("daemon", "reload", "x", {})
        assert b"reload" in await asyncio.wait_for(reader.readuntil(b"\n"), 5) + await reader.read(4096)
        for _, other in (*idle, (reader, writer)):
            other.close()


async def test_a_head_has_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_TIMEOUT_S", 0.3)
    async with _served(tmp_path, connections=8) as api:
        reader, writer = await api.open()
        for _ in range(20):
            writer.write(_PARTIAL if not _ else b"x")
            await asyncio.sleep(0.05)
            if reader.at_eof():
                break
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        # One that says nothing at all may do so for longer: clients open connections ahead.
        reader, writer = await api.open()
        await asyncio.sleep(0.5)
        writer.write(b"GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 200")
        writer.close()


@pytest.mark.parametrize(
    "flood",
    [
        b"".join(b"X-%d: y\r\n" % number for number in range(5000)),
        b"X: " + b"y" * (2 << 20),
        b"y" * (2 << 20),
    ],
    ids=["many", "long", "endless"],
)
async def test_a_flood_of_headers_is_cut(api: Api, flood: bytes) -> None:
    reader, writer = await api.open()
    writer.write(b"GET /_ping HTTP/1.1\r\nHost: x\r\n" + flood)
    try:
        answer = await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        answer = b""
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    writer.close()
    assert (await api.call("GET", "/_ping")).status == 200


async def test_a_body_that_never_comes_has_a_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_TIMEOUT_S", 0.2)
    reader, writer = await api.open()
    writer.write(b"POST /volumes/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
    writer.write(b"Content-Length: 100\r\n\r\n{")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert head.startswith(b"HTTP/1.1 400")
    assert b"too slow" in await reader.read(1000)
    writer.close()


async def test_an_oversized_body_gets_its_answer(api: Api) -> None:
    reader, writer = await api.open()
    size = BODY_LIMIT_BYTES * 2
    writer.write(b"POST /volumes/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n" % size + b" " * size)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    assert head.startswith(b"HTTP/1.1 400")
    assert b"request body too large" in await reader.read(1000)
    writer.close()


async def test_observers_are_told_who_asked_for_what(tmp_path: Path) -> None:
    seen: list[Answered] = []
    async with _served(tmp_path, 8, seen) as api:
        await api.call("GET", "/v1.40/info?secret=hidden")
        await api.call("POST", "/containers/none/start")
        await api.call("GET", "/_ping", origin="http://evil.example")
    assert [(a.method, a.path, a.status) for a in seen] == [
        ("GET", "/v1.40/info", 200),
        ("POST", "/containers/none/start", 404),
        ("GET", "/_ping", 403),
    ]
    assert set(seen[0].peer) == {"uid", "gid", "pid"}


async def test_words_of_a_malformed_request_are_not_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """The parser quotes the line that it does not like, and credentials are in such lines."""
    with caplog.at_level(logging.DEBUG):
        reader, writer = await api.open()
        writer.write(b"GET /_ping HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2VjcmV0\x01\r\n\r\n")
        assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.0 400")
        writer.close()
    assert "c2VjcmV0" not in caplog.text
