"""`attach`, `logs` and exec's `start`: calls whose connection is handed over.

Whatever can be refused is refused before the connection is taken over, as an ordinary error.
"""

from __future__ import annotations

import os

import msgspec
from aiohttp import web

from windlass.api.bodies import read_json
from windlass.api.call import Call, reply
from windlass.api.connection import Handed, TakenOver, send_head
from windlass.api.detach_keys import DEFAULT_KEYS, parse_detach_keys
from windlass.api.headers import common_headers
from windlass.api.router import Route
from windlass.api.websocket import attach_by_websocket
from windlass.base.clock import now_ns
from windlass.base.errors import InvalidParameter, WindlassError
from windlass.engine.containers.attach import attach, attachable
from windlass.engine.containers.logs import LogRequest, check_logs, send_logs
from windlass.engine.execs.create import create_exec
from windlass.engine.execs.inspect import inspect_exec, resize_exec
from windlass.engine.execs.start import check_startable, start_exec
from windlass.engine.execs.table import ExecConfig
from windlass.engine.times import parse_time_ns
from windlass.runtime.task import Attachment

RAW = "application/vnd.docker.raw-stream"
MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
# From here on a client is told by the content type whether there are frames.
_TELLS_FRAMES = (1, 42)
_STDOUT_FRAME = 1


class ExecStart(msgspec.Struct, rename="pascal"):
    """The body of an exec's start. Source: Engine API, ExecStartConfig."""

    detach: bool = False
    tty: bool = False
    console_size: list[int] | None = None


async def _take_over(call: Call, *, framed: bool) -> TakenOver:
    """Take the connection and answer: 101 when the client asked for an upgrade, else 200."""
    upgrade = call.request.headers.get("Upgrade", "").lower() == "tcp"
    content_type = MULTIPLEXED if framed and call.version >= _TELLS_FRAMES else RAW
    headers = {"Content-Type": content_type}
    if upgrade:
        headers |= {"Connection": "Upgrade", "Upgrade": "tcp"}
    headers |= common_headers(call.engine.settings.version)
    taken = call.connection.take_over()
    try:
        await send_head(taken, "101 UPGRADED" if upgrade else "200 OK", headers)
    except BaseException:
        taken.close()
        raise
    return taken


async def _take_for_body(call: Call, content_type: str) -> TakenOver:
    """Take the connection for a body that ends with it."""
    headers = {"Content-Type": content_type, "Connection": "close"} | common_headers(call.engine.settings.version)
    taken = call.connection.take_over()
    try:
        await send_head(taken, "200 OK", headers)
    except BaseException:
        taken.close()
        raise
    return taken


def _keys(text: str) -> bytes:
    return parse_detach_keys(text) if text else DEFAULT_KEYS


async def _attach(call: Call) -> web.StreamResponse:
    engine = call.engine
    container = attachable(engine, call.id)
    config = container.intent.config
    keys = _keys(call.text("detachKeys"))
    taken = await _take_over(call, framed=not config.tty)
    if call.flag("logs"):
        request = LogRequest(call.flag("stdout"), call.flag("stderr"))
        await send_logs(engine, container, request, taken.fd)
    if not call.flag("stream"):
        taken.close()
        return Handed()
    attachment = Attachment(
        connection=taken.fd,
        stdin=call.flag("stdin") and config.open_stdin,
        stdout=call.flag("stdout"),
        stderr=call.flag("stderr"),
        framed=not config.tty,
        leftover=taken.leftover,
        detach_keys=keys if config.tty else b"",
    )
    await attach(engine, container, attachment)
    return Handed()


async def _logs(call: Call) -> web.StreamResponse:
    engine = call.engine
    container = engine.containers.get(call.id)
    request = _log_request(call)
    check_logs(container, request)
    framed = not container.intent.config.tty
    content_type = MULTIPLEXED if framed and call.version >= _TELLS_FRAMES else RAW
    taken = await _take_for_body(call, content_type)
    try:
        await send_logs(engine, container, request, taken.fd)
    finally:
        taken.close()
    return Handed()


def _log_request(call: Call) -> LogRequest:
    moment = now_ns()
    since, until, tail = call.text("since"), call.text("until"), call.text("tail")
    return LogRequest(
        stdout=call.flag("stdout"),
        stderr=call.flag("stderr"),
        follow=call.flag("follow"),
        # Like dockerd: what is no number means everything.
        tail=int(tail) if tail.isdecimal() else -1,
        since_ns=parse_time_ns(since, moment) if since not in ("", "0") else 0,
        until_ns=parse_time_ns(until, moment) if until not in ("", "0") else 0,
        timestamps=call.flag("timestamps"),
        details=call.flag("details"),
    )


async def _create_exec(call: Call) -> web.StreamResponse:
    config = await read_json(call.request, ExecConfig)
    if config.detach_keys:
        parse_detach_keys(config.detach_keys)
    return reply({"Id": create_exec(call.engine, call.id, config)}, 201)


async def _start_exec(call: Call) -> web.StreamResponse:
    engine = call.engine
    wanted = await read_json(call.request, ExecStart)
    exec_ = engine.execs.get(call.id)
    config = exec_.config
    check_startable(exec_)
    size = wanted.console_size or ()
    if wanted.detach:
        await start_exec(engine, exec_, (), size)
        return web.Response()
    if size and not config.tty:
        raise InvalidParameter("console size is only supported when TTY is enabled")
    keys = _keys(config.detach_keys)
    taken = await _take_over(call, framed=not config.tty)
    attachment = Attachment(
        connection=taken.fd,
        stdin=config.attach_stdin,
        stdout=config.attach_stdout,
        stderr=config.attach_stderr,
        framed=not config.tty,
        leftover=taken.leftover,
        detach_keys=keys if config.tty else b"",
    )
    try:
        await start_exec(engine, exec_, (attachment,), size)
    except WindlassError as error:
        _tell(taken, error.message, framed=not config.tty)
    finally:
        taken.close()
    return Handed()


def _tell(taken: TakenOver, message: str, *, framed: bool) -> None:
    """Write why a process did not start where its output would have come."""
    data = f"{message}\r\n".encode()
    header = bytes((_STDOUT_FRAME, 0, 0, 0)) + len(data).to_bytes(4, "big") if framed else b""
    try:
        os.write(taken.fd, header + data)
    except OSError:
        # The client has gone; the exit code is there for whoever asks.
        return


async def _inspect_exec(call: Call) -> web.StreamResponse:
    return reply(inspect_exec(call.engine.execs.get(call.id)))


async def _resize_exec(call: Call) -> web.StreamResponse:
    await resize_exec(call.engine, call.id, call.number("h"), call.number("w"))
    return web.Response()


ROUTES = (
    Route("POST", "/containers/{id}/attach", _attach),
    Route("GET", "/containers/{id}/attach/ws", attach_by_websocket),
    Route("GET", "/containers/{id}/logs", _logs),
    Route("POST", "/containers/{id}/exec", _create_exec),
    Route("POST", "/exec/{id}/start", _start_exec),
    Route("GET", "/exec/{id}/json", _inspect_exec),
    Route("POST", "/exec/{id}/resize", _resize_exec),
)
