"""Attaching by websocket: messages go into the process as they are, its output comes as binary messages, unframed.

The daemon stands between client and supervisor here, with one chunk of either direction in its hands: who does not read
stops the other.

Source: Engine API, ContainerAttachWebsocket; RFC 6455.
"""

from __future__ import annotations

import asyncio
import os
import socket

from aiohttp import WSMsgType, web

from windlass.api.call import Call
from windlass.api.detach_keys import DEFAULT_KEYS, parse_detach_keys
from windlass.engine.containers.attach import attach, attachable
from windlass.engine.containers.logs import LogRequest, check_logs, send_logs
from windlass.runtime.task import Attachment

_CHUNK_BYTES = 64 * 1024
_MESSAGE_LIMIT_BYTES = 1 << 20
# Until here output came as text. Source: Engine API, version history, v1.28.
_BINARY = (1, 28)


async def attach_by_websocket(call: Call) -> web.StreamResponse:
    """Serve `GET /containers/{id}/attach/ws`."""
    container = attachable(call.engine, call.id)
    config = container.intent.config
    keys = parse_detach_keys(text) if (text := call.text("detachKeys")) else DEFAULT_KEYS
    logs = LogRequest(call.flag("stdout"), call.flag("stderr"), framed=False) if call.flag("logs") else None
    if logs is not None:
        check_logs(container, logs)
    response = web.WebSocketResponse(max_msg_size=_MESSAGE_LIMIT_BYTES)
    await response.prepare(call.request)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        output = asyncio.ensure_future(_send_output(response, ours, binary=call.version >= _BINARY))
        typed = asyncio.ensure_future(_take_input(response, ours))
        try:
            if logs is not None:
                await send_logs(call.engine, container, logs, theirs.fileno())
            if call.flag("stream"):
                attachment = Attachment(
                    # `attach` closes it, now or when the container is started.
                    connection=os.dup(theirs.fileno()),
                    stdin=call.flag("stdin") and config.open_stdin,
                    stdout=call.flag("stdout"),
                    stderr=call.flag("stderr"),
                    framed=False,
                    detach_keys=keys if config.tty else b"",
                )
                await attach(call.engine, container, attachment)
            theirs.close()
            await asyncio.wait((output, typed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            output.cancel()
            typed.cancel()
            await asyncio.gather(output, typed, return_exceptions=True)
    await response.close()
    return response


async def _send_output(response: web.WebSocketResponse, sock: socket.socket, *, binary: bool) -> None:
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(sock, _CHUNK_BYTES):
        if binary:
            await response.send_bytes(data)
        else:
            await response.send_str(data.decode(errors="replace"))


async def _take_input(response: web.WebSocketResponse, sock: socket.socket) -> None:
    """Ends with the client: it has closed, or said what is no message."""
    loop = asyncio.get_running_loop()
    async for message in response:
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
            return
        data = message.data.encode() if isinstance(message.data, str) else message.data
        await loop.sock_sendall(sock, data)
