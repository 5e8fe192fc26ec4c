"""Versions, routes, error bodies and bodies, over a real connection."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from windlass.api.body import decode, query_bool, query_int, read_json
from windlass.api.dispatch import Dispatcher
from windlass.api.hijack import Gone, UpgradeServer, hijack
from windlass.api.router import Call, Router
from windlass.base.errors import Conflict, InvalidParameter, NotFound, NotModified
from windlass.spec.container import HostConfig


class _Body(msgspec.Struct, rename="pascal"):
    image: str = ""
    host_config: HostConfig | None = None


async def _attach(call: Call) -> web.StreamResponse:
    with hijack(call.http, "application/vnd.docker.raw-stream", "1.50", "Test") as connection:
        os.set_blocking(connection.fd, True)
        late = await asyncio.to_thread(os.read, connection.fd, 100)
        connection.write(b"got " + connection.leftover + b";" + late)
    return Gone()


async def _fail(call: Call) -> web.StreamResponse:
    raise {"404": NotFound, "409": Conflict, "304": NotModified, "500": ZeroDivisionError}[call.path["kind"]]("words")


async def _show(call: Call) -> web.StreamResponse:
    body = await read_json(call.http, _Body)
    text = json.dumps({"version": call.version, "path": call.path, "image": body.image})
    return web.Response(text=text)


@pytest_asyncio.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    router = Router()
    router.add("POST", "/containers/{id}/attach", _attach)
    router.add("GET", "/fail/{kind}", _fail)
    router.add("POST", "/images/{name:.*}/show", _show)
    runner = web.ServerRunner(UpgradeServer(Dispatcher(router, "Test")))
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "s")).start()
    yield str(tmp_path / "s")
    await runner.cleanup()


async def ask(address: str, request: bytes, later: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_unix_connection(address)
    writer.write(request)
    answer = b""
    if later:
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.write(later)
    answer += await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/nope", 404, "page not found"),
        ("/v1.50/nope", 404, "page not found"),
        ("/v1.99/x", 400, "client version 1.99 is too new. Maximum supported API version is 1.50"),
        (
            "/v1.12/x",
            400,
            "client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a "
            "newer version",
        ),
        ("/fail/404", 404, "words"),
        ("/v1.40/fail/409", 409, "words"),
        ("/fail/500", 500, "internal error: ZeroDivisionError: words"),
    ],
)
async def test_errors_are_docker_s_json(address: str, path: str, status: int, message: str) -> None:
    head, _, body = (await ask(address, get(path))).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Api-Version: 1.50" in head
    assert json.loads(body) == {"message": message}


async def test_not_modified_has_no_body(address: str) -> None:
    head, _, body = (await ask(address, get("/fail/304"))).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 304") and body == b""


async def test_names_with_slashes_and_escapes(address: str) -> None:
    payload = b'{"image": "x", "HostConfig": null, "Unknown": 1}'
    head = (
        f"POST /v1.44/images/a%2Fb/c:d/show HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: {len(payload)}"
    )
    answer = await ask(address, head.encode() + b"\r\n\r\n" + payload)
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {
        "version": [1, 44],
        "path": {"name": "a/b/c:d"},
        "image": "x",
    }


_UPGRADE = b"POST /containers/x/attach HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"


@pytest.mark.parametrize("body", [b"\r\n", b"Content-Length: 2\r\n\r\n{}"])
async def test_bytes_behind_an_upgrade_request_are_not_lost(address: str, body: bytes) -> None:
    answer = await ask(address, _UPGRADE + body + b"early", later=b"late")
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 UPGRADED\r\n")
    assert rest == b"got early;late"


async def test_without_an_upgrade_the_head_is_200(address: str) -> None:
    answer = await ask(address, _UPGRADE.replace(b"Connection: Upgrade\r\nUpgrade: tcp\r\n", b"\r\n"), later=b"late")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b"got ;late")


async def test_a_refused_upgrade_ends_its_connection(address: str) -> None:
    answer = await ask(address, _UPGRADE.replace(b"/attach", b"/nope") + b"\r\nearly")
    assert answer.startswith(b"HTTP/1.1 404 ")


def test_go_s_decoder_drops_nulls_and_ignores_case() -> None:
    host = decode(b'{"networkmode": "none", "Binds": null, "RestartPolicy": {"Name": null}}', HostConfig)
    assert host.network_mode == "none" and host.binds is None and host.restart_policy.name == ""


@pytest.mark.parametrize("data", [b"{", b"[1]", b'{"Binds": 3}', b"[" * 100_000, b"\xff"])
def test_bad_json_is_the_caller_s_fault(data: bytes) -> None:
    with pytest.raises(InvalidParameter, match="invalid JSON"):
        decode(data, HostConfig)


@pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), ("0", False), ("False", False), ("", False)])
def test_query_values(text: str, value: bool) -> None:
    from aiohttp.test_utils import make_mocked_request

    request = make_mocked_request("GET", f"/?x={text}&n=12")
    assert query_bool(request, "x") is value
    assert query_int(request, "n", 0) == 12
    with pytest.raises(InvalidParameter):
        query_int(make_mocked_request("GET", "/?n=1e3"), "n", 0)
