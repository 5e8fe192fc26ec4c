"""Answers that go on: JSON lines, each flushed as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec
from aiohttp import web

from windlass.api.call import Call
from windlass.api.headers import common_headers
from windlass.base.errors import Cancelled, WindlassError

_T = TypeVar("_T")

_encode = msgspec.json.Encoder().encode
Message = Mapping[str, object]
Report = Callable[[Message], None]


async def open_stream(call: Call, content_type: str = "application/json") -> web.StreamResponse:
    """Send the head of an answer of unknown length."""
    headers = {**common_headers(call.engine.settings.version), "Content-Type": content_type}
    response = web.StreamResponse(headers=headers)
    await response.prepare(call.request)
    return response


async def progress_stream(
    call: Call, work: Callable[[Report], Awaitable[_T]], last: Callable[[_T], Message | None]
) -> web.StreamResponse:
    """Run `work` and send what it reports, one JSON object a line; `last` makes a final line of its result.

    An error before the first message is an ordinary one; later ones are told in the stream, as dockerd does. A client
    that goes away ends the work.

    Raises:
        WindlassError: `work` failed before it reported anything.
        Cancelled: the client went away.
    """
    messages: asyncio.Queue[Message | None] = asyncio.Queue()
    task = asyncio.ensure_future(work(messages.put_nowait))
    task.add_done_callback(lambda _task: messages.put_nowait(None))
    lost = call.connection.lost
    lost.add_done_callback(lambda _lost: task.cancel())
    try:
        first = await messages.get()
        if first is None:
            result = await task
            response = await open_stream(call)
            final = last(result)
        else:
            response = await open_stream(call)
            await _send(response, first, messages)
            final = await _final(task, last)
        if final is not None:
            await response.write(_encode(final) + b"\r\n")
        await response.write_eof()
        return response
    except asyncio.CancelledError:
        if lost.done():
            raise Cancelled("the client went away") from None
        raise
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _send(response: web.StreamResponse, first: Message, messages: asyncio.Queue[Message | None]) -> None:
    """Send messages until the end; those that have come meanwhile go together."""
    message: Message | None = first
    while message is not None:
        lines = []
        while message is not None:
            lines.append(_encode(message) + b"\r\n")
            if messages.empty():
                break
            message = messages.get_nowait()
        await response.write(b"".join(lines))
        if message is not None:
            message = await messages.get()


async def _final(task: asyncio.Future[_T], last: Callable[[_T], Message | None]) -> Message | None:
    try:
        return last(await task)
    except WindlassError as error:
        return {"errorDetail": {"message": error.message}, "error": error.message}
