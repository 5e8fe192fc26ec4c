"""The API over a unix socket, with an engine in memory behind it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
from aiohttp import web
from tests.support.fake_engine import FakeWorld, open_world

from windlass.api.app import make_server


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The text of an error."""
        return str(self.json["message"])


@dataclass(slots=True)
class Api:
    """A client that speaks HTTP by hand: what goes over the wire is the test's."""

    world: FakeWorld
    path: str

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect."""
        return await asyncio.open_unix_connection(self.path)

    async def call(
        self, method: str, target: str, body: object = None, *, raw: bytes | None = None, **headers: str
    ) -> Answer:
        """Send one request on a connection of its own and read the answer."""
        reader, writer = await self.open()
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else b"")
        lines = [f"{method} {target} HTTP/1.1", "Host: x", f"Content-Length: {len(data)}"]
        if data and "content_type" not in headers:
            lines.append("Content-Type: application/json")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + data)
        try:
            return await read_answer(reader, method)
        finally:
            writer.close()

    def raw_socket(self) -> socket.socket:
        """A blocking connection."""
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.path)
        return sock


async def read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Read status and headers (lower-case names)."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    return int(head[0].split()[1]), headers


async def read_answer(reader: asyncio.StreamReader, method: str = "GET") -> Answer:
    """Read a whole response."""
    status, headers = await read_head(reader)
    if method == "HEAD" or status in (101, 204, 304):
        return Answer(status, headers, b"")
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        return Answer(status, headers, body)
    return Answer(status, headers, await reader.readexactly(int(headers["content-length"])))


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A served engine."""
    async with open_world(tmp_path) as world:
        runner = web.ServerRunner(make_server(world.engine), shutdown_timeout=0.1)
        await runner.setup()
        path = str(tmp_path / "api.sock")
        await web.UnixSite(runner, path).start()
        try:
            yield Api(world, path)
        finally:
            await runner.cleanup()
