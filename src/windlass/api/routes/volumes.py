"""`/volumes`."""

from __future__ import annotations

import msgspec
from aiohttp import web

from windlass.api.bodies import read_json
from windlass.api.call import Call, no_content, reply
from windlass.api.router import Route

_LIST_FILTERS = ("dangling", "driver", "label", "name")


class CreateVolume(msgspec.Struct, rename="pascal"):
    """The body of a volume's creation. Source: Engine API, VolumeCreateOptions."""

    name: str = ""
    driver: str = ""
    driver_opts: dict[str, str] | None = None
    labels: dict[str, str] | None = None


async def _list(call: Call) -> web.StreamResponse:
    filters = call.filters
    filters.accept(_LIST_FILTERS)
    dangling = filters.flag("dangling")
    volumes = call.engine.volumes
    chosen = [
        volume
        for volume in volumes
        if filters.match("name", volume.name)
        and filters.exact("driver", volume.driver)
        and filters.labels(volume.labels)
        and (dangling is None or dangling == (not volumes.users(volume.name)))
    ]
    return reply({"Volumes": [volume.to_api() for volume in chosen], "Warnings": None})


async def _create(call: Call) -> web.StreamResponse:
    wanted = await read_json(call.request, CreateVolume)
    volume = await call.engine.volumes.create(wanted.name, wanted.driver, wanted.driver_opts, wanted.labels)
    return reply(volume.to_api(), 201)


async def _inspect(call: Call) -> web.StreamResponse:
    return reply(call.engine.volumes.get(call.id).to_api())


async def _remove(call: Call) -> web.StreamResponse:
    await call.engine.volumes.remove(call.id, force=call.flag("force"))
    return no_content()


async def _prune(call: Call) -> web.StreamResponse:
    return reply(await call.engine.volumes.prune(call.filters))


ROUTES = (
    Route("GET", "/volumes", _list),
    Route("POST", "/volumes/create", _create),
    Route("POST", "/volumes/prune", _prune),
    Route("GET", "/volumes/{id}", _inspect),
    Route("DELETE", "/volumes/{id}", _remove),
)
