"""Connections that leave HTTP: what was sent early is not lost, and the stream is the client's own."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest
from tests.unit.api.conftest import Api, read_answer, read_head

from windlass.api.connection import upgrade_request_size

_UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n"
_JSON = "Content-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"POST /x HTTP/1.1\r\nUpgrade: tcp\r\n\r\n", 34),
        (b"POST /x HTTP/1.1\r\nupgrade:TCP\r\n\r\nrest", 33),
        (b"POST /x HTTP/1.1\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}rest", 55),
        (b"POST /x HTTP/1.1\r\nUpgrade: tcp\r\n", None),
        (b"POST /x HTTP/1.1\r\nHost: x\r\n\r\nUpgrade: tcp\r\n\r\n", None),
        (b"POST /x HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", None),
    ],
)
def test_where_an_upgrade_request_ends(data: bytes, size: int | None) -> None:
    assert upgrade_request_size(data) == size


async def _attach(
    api: Api, query: str = "stream=1&stdin=1&stdout=1", rest: bytes = b""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await api.open()
    writer.write(f"POST /v1.50/containers/c1/attach?{query} HTTP/1.1\r\nHost: x\r\n{_UPGRADE}\r\n".encode() + rest)
    return reader, writer


async def test_attach_before_the_start_hands_over_with_what_was_typed(api: Api) -> None:
    await api.world.make("c1", open_stdin=True)
    reader, writer = await _attach(api, rest=b"typed early")
    status, headers = await read_head(reader)
    assert status == 101
    assert headers["content-type"] == "application/vnd.docker.multiplexed-stream"
    assert (headers["connection"], headers["upgrade"]) == ("Upgrade", "tcp")
    await api.call("POST", "/containers/c1/start")
    (attachment,) = api.world.launcher.clients[-1]
    assert (attachment.leftover, attachment.stdin, attachment.stdout, attachment.framed) == (
        b"typed early",
        True,
        True,
        True,
    )
    writer.close()


async def test_the_descriptor_is_the_clients_connection(api: Api) -> None:
    await api.world.make("c1", open_stdin=True, tty=True)
    await api.call("POST", "/containers/c1/start")
    reader, writer = await _attach(api)
    status, headers = await read_head(reader)
    assert (status, headers["content-type"]) == (101, "application/vnd.docker.raw-stream")
    while not api.world.task.attached:
        await api.call("GET", "/_ping")
    attachment = api.world.task.attached[0]
    assert not attachment.framed and attachment.detach_keys == b"\x10\x11"
    # The fake kept no copy, and the engine has closed its own: the stream ends.
    assert await reader.read() == b""
    writer.close()


async def test_half_closing_reaches_the_stream(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.world.make("c1", open_stdin=True)
    await api.call("POST", "/containers/c1/start")
    kept: list[socket.socket] = []

    async def keep(attachment: object) -> None:
        kept.append(socket.socket(fileno=os.dup(attachment.connection)))  # type: ignore[attr-defined]

    monkeypatch.setattr(api.world.task, "attach", keep)
    reader, writer = await _attach(api)
    await read_head(reader)
    writer.write(b"input")
    writer.write_eof()
    while not kept:
        await api.call("GET", "/_ping")
    loop = asyncio.get_running_loop()
    kept[0].setblocking(False)
    received = b""
    while chunk := await loop.sock_recv(kept[0], 100):
        received += chunk
    assert received == b"input"
    await loop.sock_sendall(kept[0], b"output")
    kept[0].close()
    assert await reader.read() == b"output"
    writer.close()


async def test_without_upgrade_the_answer_is_200_and_raw(api: Api) -> None:
    await api.world.make("c1")
    reader, writer = await api.open()
    writer.write(b"POST /v1.41/containers/c1/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    status, headers = await read_head(reader)
    assert (status, headers["content-type"]) == (200, "application/vnd.docker.raw-stream")
    assert "transfer-encoding" not in headers
    writer.close()


async def test_a_refused_upgrade_leaves_the_connection_in_http(api: Api) -> None:
    reader, writer = await _attach(api, rest=b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = await read_answer(reader)
    assert (answer.status, answer.message) == (404, "No such container: c1")
    assert (await read_answer(reader)).body == b"OK"
    writer.close()


async def test_detach_keys(api: Api) -> None:
    await api.world.make("c1", tty=True, open_stdin=True)
    answer = await api.call("POST", "/containers/c1/attach?stream=1&detachKeys=ctrl-%C3%A9")
    assert answer.status == 400
    reader, writer = await _attach(api, "stream=1&stdin=1&detachKeys=ctrl-x,y")
    await read_head(reader)
    await api.call("POST", "/containers/c1/start")
    assert api.world.launcher.clients[-1][0].detach_keys == b"\x18y"
    writer.close()


async def test_exec_start_takes_the_connection_behind_its_body(api: Api) -> None:
    await api.world.make("c1")
    await api.call("POST", "/containers/c1/start")
    created = await api.call("POST", "/containers/c1/exec", {"Cmd": ["cat"], "AttachStdin": True, "AttachStdout": True})
    assert created.status == 201
    reader, writer = await api.open()
    body = b'{"Detach":false,"Tty":false}'
    head = (
        f"POST /v1.50/exec/{created.json['Id']}/start HTTP/1.1\r\nHost: x\r\n"
        f"{_JSON}Content-Length: {len(body)}\r\n{_UPGRADE}\r\n"
    )
    writer.write(head.encode() + body[:5])
    await writer.drain()
    await api.call("GET", "/_ping")
    writer.write(body[5:] + b"input")
    status, _ = await read_head(reader)
    assert status == 101
    assert await reader.read() == b""
    shown = (await api.call("GET", f"/exec/{created.json['Id']}/json")).json
    assert (shown["Running"], shown["ExitCode"], shown["OpenStdin"]) == (True, None, True)
    writer.close()


async def test_an_exec_that_cannot_start_says_why_in_the_stream(api: Api) -> None:
    await api.world.make("c1")
    await api.call("POST", "/containers/c1/start")
    created = (await api.call("POST", "/containers/c1/exec", {"Cmd": ["nope"], "AttachStdout": True})).json["Id"]
    reader, writer = await api.open()
    head = f"POST /exec/{created}/start HTTP/1.1\r\nHost: x\r\n{_JSON}Content-Length: 2\r\n{_UPGRADE}\r\n{{}}"
    writer.write(head.encode())
    await read_head(reader)
    frame = await reader.read()
    assert frame[:4] == b"\x01\0\0\0" and int.from_bytes(frame[4:8], "big") == len(frame) - 8
    assert b'exec: "nope": executable file not found in $PATH' in frame
    assert (await api.call("GET", f"/exec/{created}/json")).json["ExitCode"] == 127
    again = await api.call("POST", f"/exec/{created}/start", {})
    assert again.status == 409
    writer.close()


async def test_logs_are_sent_by_a_worker(api: Api) -> None:
    await api.world.make("c1")
    none = await api.call("GET", "/containers/c1/logs")
    assert (none.status, none.message) == (400, "Bad parameters: you must choose at least one stream")
    reader, writer = await api.open()
    writer.write(b"GET /v1.50/containers/c1/logs?stdout=1&tail=5&since=1.5&timestamps=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    status, headers = await read_head(reader)
    assert (status, headers["connection"]) == (200, "close")
    assert await reader.read() == b""
    name, params = api.world.launcher.jobs[-1]
    assert name == "logs"
    assert {
        "tail": 5,
        "since_ns": 1_500_000_000,
        "timestamps": True,
        "stdout": True,
        "stderr": False,
    }.items() <= params.items()
    writer.close()


async def test_sockets_do_not_leak(api: Api) -> None:
    await api.world.make("c1")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        reader, writer = await _attach(api)
        await read_head(reader)
        writer.close()
    await api.call("DELETE", "/containers/c1")
    await api.world.settled()
    while len(os.listdir("/proc/self/fd")) > before:
        await api.call("GET", "/_ping")
