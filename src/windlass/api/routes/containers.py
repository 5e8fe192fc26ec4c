"""`/containers`: everything that answers once."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from windlass.api.bodies import convert, read_json, read_tree
from windlass.api.call import Call, no_content, reply
from windlass.api.conform import conform
from windlass.api.progress import open_stream
from windlass.api.router import Route
from windlass.base.errors import InvalidParameter
from windlass.engine.containers.create import CreateRequest, create
from windlass.engine.containers.inspect import inspect
from windlass.engine.containers.kill import kill
from windlass.engine.containers.links import remove_link
from windlass.engine.containers.list import ListRequest, list_containers, list_encoded
from windlass.engine.containers.namespaces import list_namespaces
from windlass.engine.containers.pause import pause, unpause
from windlass.engine.containers.prune import prune
from windlass.engine.containers.remove import remove
from windlass.engine.containers.rename import rename
from windlass.engine.containers.resize import resize
from windlass.engine.containers.restart import restart
from windlass.engine.containers.start import start
from windlass.engine.containers.stats import sample, samples
from windlass.engine.containers.stop import stop
from windlass.engine.containers.top import top
from windlass.engine.containers.update import update
from windlass.engine.containers.wait import wait
from windlass.spec.container import ContainerConfig, HostConfig, NetworkingConfig

_T = TypeVar("_T")

_encode = msgspec.json.Encoder().encode
_OTHER_MEMBERS = frozenset(("hostconfig", "networkingconfig"))


async def _list(call: Call) -> web.StreamResponse:
    request = ListRequest(call.flag("all"), call.number("limit"), call.flag("size"), call.filters)
    if request.size:
        return reply(await list_containers(call.engine, request))
    return web.Response(body=await list_encoded(call.engine, request), content_type="application/json")


async def _create(call: Call) -> web.StreamResponse:
    tree = await read_tree(call.request)
    request = CreateRequest(
        config=_config(tree),
        host_config=_member(tree, "HostConfig", HostConfig),
        networking=_member(tree, "NetworkingConfig", NetworkingConfig),
        name=call.text("name"),
        platform=call.text("platform"),
    )
    created = await create(call.engine, request)
    return reply({"Id": created.id, "Warnings": created.warnings}, 201)


def _config(tree: dict[str, Any]) -> ContainerConfig:
    own = {name: member for name, member in tree.items() if name.lower() not in _OTHER_MEMBERS}
    if not own:
        raise InvalidParameter("config cannot be empty in order to create a container")
    return convert(conform(own, ContainerConfig), ContainerConfig)


def _member(tree: dict[str, Any], name: str, kind: type[_T]) -> _T:
    found = next((member for key, member in tree.items() if key.lower() == name.lower()), None)
    return convert(conform(found or {}, kind), kind)


async def _inspect(call: Call) -> web.StreamResponse:
    return reply(await inspect(call.engine, call.id, size=call.flag("size")))


async def _start(call: Call) -> web.StreamResponse:
    await start(call.engine, call.id)
    return no_content()


async def _stop(call: Call) -> web.StreamResponse:
    await stop(call.engine, call.id, _timeout(call), call.text("signal"))
    return no_content()


async def _restart(call: Call) -> web.StreamResponse:
    await restart(call.engine, call.id, _timeout(call), call.text("signal"))
    return no_content()


def _timeout(call: Call) -> int | None:
    return call.number("t") if call.text("t") else None


async def _kill(call: Call) -> web.StreamResponse:
    await kill(call.engine, call.id, call.text("signal"))
    return no_content()


async def _pause(call: Call) -> web.StreamResponse:
    await pause(call.engine, call.id)
    return no_content()


async def _unpause(call: Call) -> web.StreamResponse:
    await unpause(call.engine, call.id)
    return no_content()


async def _remove(call: Call) -> web.StreamResponse:
    if call.flag("link"):
        await remove_link(call.engine, call.id)
        return no_content()
    await remove(call.engine, call.id, force=call.flag("force"), volumes=call.flag("v"))
    return no_content()


async def _rename(call: Call) -> web.StreamResponse:
    await rename(call.engine, call.id, call.text("name"))
    return no_content()


async def _resize(call: Call) -> web.StreamResponse:
    await resize(call.engine, call.id, call.number("h"), call.number("w"))
    return web.Response()


async def _update(call: Call) -> web.StreamResponse:
    wanted = await read_json(call.request, HostConfig)
    return reply({"Warnings": await update(call.engine, call.id, wanted)})


async def _wait(call: Call) -> web.StreamResponse:
    """The head goes at once: the stock client starts the container only when it knows that somebody listens."""
    ended = wait(call.engine, call.id, call.text("condition"))
    response = await open_stream(call)
    await asyncio.wait((ended, call.connection.lost), return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        ended.cancel()
        return response
    result = ended.result()
    shown: dict[str, object] = {"StatusCode": result.exit_code}
    if result.error:
        shown["Error"] = {"Message": result.error}
    await response.write(_encode(shown) + b"\n")
    await response.write_eof()
    return response


async def _top(call: Call) -> web.StreamResponse:
    return reply(await top(call.engine, call.id, call.text("ps_args")))


async def _stats(call: Call) -> web.StreamResponse:
    engine = call.engine
    container = engine.containers.get(call.id)
    if not call.flag("stream", default=True):
        return reply(await sample(engine, container, one_shot=call.flag("one-shot")))
    response = await open_stream(call)
    async for figures in samples(engine, container, call.connection.lost):
        await response.write(_encode(figures) + b"\n")
    await response.write_eof()
    return response


async def _namespaces(call: Call) -> web.StreamResponse:
    return reply(await list_namespaces(call.engine, call.texts("container")))


async def _prune(call: Call) -> web.StreamResponse:
    return reply(await prune(call.engine, call.filters))


ROUTES = (
    Route("GET", "/containers/json", _list),
    Route("POST", "/containers/create", _create),
    Route("POST", "/containers/prune", _prune),
    Route("GET", "/containers/{id}/json", _inspect),
    Route("POST", "/containers/{id}/start", _start),
    Route("POST", "/containers/{id}/stop", _stop),
    Route("POST", "/containers/{id}/restart", _restart),
    Route("POST", "/containers/{id}/kill", _kill),
    Route("POST", "/containers/{id}/pause", _pause),
    Route("POST", "/containers/{id}/unpause", _unpause),
    Route("POST", "/containers/{id}/rename", _rename),
    Route("POST", "/containers/{id}/resize", _resize),
    Route("POST", "/containers/{id}/update", _update),
    Route("POST", "/containers/{id}/wait", _wait),
    Route("GET", "/containers/{id}/top", _top),
    Route("GET", "/containers/{id}/stats", _stats),
    Route("DELETE", "/containers/{id*}", _remove),
    Route("GET", "/windlass/namespaces", _namespaces),
)
