"""`/images`: looking at images, naming and removing them; and the streams that bring them in and out."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from windlass.api.call import Call, reply
from windlass.api.connection import Handed, send_head
from windlass.api.headers import common_headers
from windlass.api.progress import Message, progress_stream
from windlass.api.router import Route
from windlass.base.errors import InvalidParameter
from windlass.distribution.credentials import ANONYMOUS, parse_auth_header
from windlass.engine.images import image_users
from windlass.images.image import Image
from windlass.spec.platform import Platform, parse_platform
from windlass.spec.reference import ImageRef, parse_reference


async def _list(call: Call) -> web.StreamResponse:
    filters = {name: list(values) for name, values in call.filters.values.items()}
    return reply(
        await call.engine.images.list(filters, show_all=call.flag("all"), shared_size=call.flag("shared-size"))
    )


async def _inspect(call: Call) -> web.StreamResponse:
    return reply(await call.engine.images.inspect(call.params["name"]))


async def _history(call: Call) -> web.StreamResponse:
    return reply(await call.engine.images.history(call.params["name"]))


async def _tag(call: Call) -> web.StreamResponse:
    await call.engine.images.tag(call.params["name"], named(call.text("repo"), call.text("tag")))
    return web.Response(status=201)


def named(repository: str, tag: str) -> ImageRef:
    """Return the reference that a name and a tag, if there is one, make.

    Raises:
        InvalidReference: they are none.
    """
    ref = parse_reference(repository)
    return ref.with_tag(tag) if tag else ref


async def _remove(call: Call) -> web.StreamResponse:
    removed = await call.engine.images.remove(
        call.params["name"],
        image_users(call.engine),
        force=call.flag("force"),
        prune_parents=not call.flag("noprune"),
    )
    return reply(removed)


async def _prune(call: Call) -> web.StreamResponse:
    filters = {name: list(values) for name, values in call.filters.values.items()}
    pruned = await call.engine.images.prune(filters, image_users(call.engine))
    return reply({"ImagesDeleted": pruned.removals or None, "SpaceReclaimed": pruned.reclaimed_bytes})


async def _create(call: Call) -> web.StreamResponse:
    """`pull` and `import` share a path: which one it is says whether there is a `fromSrc`."""
    if call.text("fromSrc"):
        return await _import(call)
    return await _pull(call)


async def _pull(call: Call) -> web.StreamResponse:
    name, tag = call.text("fromImage"), call.text("tag")
    if not name:
        raise InvalidParameter("invalid reference format")
    # A digest comes as the tag: `sha256:...`.
    ref = parse_reference(f"{name}@{tag}") if ":" in tag else named(name, tag)
    header = call.request.headers.get("X-Registry-Auth", "")
    credentials = parse_auth_header(header) if header else ANONYMOUS
    platform = _platform(call)
    return await progress_stream(
        call,
        lambda progress: call.engine.images.pull(ref, progress, credentials=credentials, platform=platform),
        lambda _image: None,
    )


async def _import(call: Call) -> web.StreamResponse:
    source = call.text("fromSrc")
    if source != "-":
        raise InvalidParameter(f"importing from {source!r} is not supported: send the archive in the body")
    repository = call.text("repo")
    ref = named(repository, call.text("tag")).with_default_tag() if repository else None
    return await progress_stream(
        call,
        lambda _progress: call.engine.images.import_tar(
            body_chunks(call),
            ref,
            changes=call.texts("changes"),
            message=call.text("message"),
            platform=_platform(call),
        ),
        _imported,
    )


def _imported(image: Image) -> Message:
    return {"status": image.id}


def _platform(call: Call) -> Platform | None:
    text = call.text("platform")
    return parse_platform(text) if text else None


async def body_chunks(call: Call) -> AsyncIterator[bytes]:
    """Yield the request's body as it comes."""
    content = call.request.content
    while chunk := await content.readany():
        yield chunk


async def _load(call: Call) -> web.StreamResponse:
    return await progress_stream(
        call,
        lambda progress: call.engine.images.load(
            body_chunks(call), progress, quiet=call.flag("quiet"), platform=_platform(call)
        ),
        lambda _images: None,
    )


async def _save(call: Call) -> web.StreamResponse:
    names = [call.params["name"]] if "name" in call.params else call.texts("names")
    archive = await call.engine.images.save(names, _platform(call))
    headers = {"Content-Type": "application/x-tar", "Connection": "close"}
    taken = call.connection.take_over()
    try:
        await send_head(taken, "200 OK", headers | common_headers(call.engine.settings.version))
        await archive.write_to(taken.fd)
    finally:
        taken.close()
    return Handed()


async def _bootstrap(call: Call) -> web.StreamResponse:
    name = call.text("name")
    return await progress_stream(
        call, lambda progress: call.engine.images.bootstrap(name, progress), lambda _image: None
    )


ROUTES = (
    Route("GET", "/images/json", _list),
    Route("POST", "/images/create", _create),
    Route("POST", "/images/load", _load),
    Route("POST", "/images/prune", _prune),
    Route("GET", "/images/get", _save),
    Route("GET", "/images/{name*}/json", _inspect),
    Route("GET", "/images/{name*}/history", _history),
    Route("GET", "/images/{name*}/get", _save),
    Route("POST", "/images/{name*}/tag", _tag),
    Route("DELETE", "/images/{name*}", _remove),
    Route("POST", "/windlass/images/bootstrap", _bootstrap),
)
