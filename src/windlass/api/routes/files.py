"""A container's files: `archive`, `changes`, `export`, and `commit`.

Whatever can be refused is refused before the connection is taken over, as an ordinary error.
"""

from __future__ import annotations

import base64
import stat

import msgspec
from aiohttp import web

from windlass.api.bodies import convert, read_optional_tree
from windlass.api.call import Call, reply
from windlass.api.conform import conform
from windlass.api.connection import Handed, TakenOver, send_head
from windlass.api.headers import common_headers
from windlass.api.router import Route
from windlass.api.routes.images import body_chunks, named
from windlass.base.clock import rfc3339_nano
from windlass.engine.containers.archive import extract_archive, match_paths, outgoing, stat_path
from windlass.engine.containers.changes import list_changes
from windlass.engine.containers.commit import CommitRequest, commit
from windlass.engine.containers.export import export
from windlass.files.model import PathStat
from windlass.spec.container import ContainerConfig

_STAT_HEADER = "X-Docker-Container-Path-Stat"
_encode = msgspec.json.Encoder().encode
# Kinds and modes by Go's bits. Source: Go, io/fs, FileMode.
_GO_KINDS = {
    stat.S_IFDIR: 1 << 31,
    stat.S_IFLNK: 1 << 27,
    stat.S_IFBLK: 1 << 26,
    stat.S_IFCHR: 1 << 26 | 1 << 21,
    stat.S_IFIFO: 1 << 25,
    stat.S_IFSOCK: 1 << 24,
}
_GO_BITS = {stat.S_ISUID: 1 << 23, stat.S_ISGID: 1 << 22, stat.S_ISVTX: 1 << 20}


def go_mode(mode: int) -> int:
    """Return st_mode as Go's os.FileMode has it."""
    found = _GO_KINDS.get(stat.S_IFMT(mode), 0) | mode & 0o777
    return found | sum(go for bit, go in _GO_BITS.items() if mode & bit)


def path_stat_header(found: PathStat) -> str:
    """Return what is at a path as the header's value: base64 of JSON."""
    shown = {
        "name": found.name,
        "size": found.size,
        "mode": go_mode(found.mode),
        "mtime": rfc3339_nano(found.mtime_ns),
        "linkTarget": found.link_target,
    }
    return base64.b64encode(_encode(shown)).decode()


async def _stat(call: Call) -> web.StreamResponse:
    found = await stat_path(call.engine, call.id, call.text("path"))
    return web.Response(headers={_STAT_HEADER: path_stat_header(found)}, content_type="application/json")


async def _take_for_tar(call: Call, headers: dict[str, str]) -> TakenOver:
    """Take the connection for a tar that ends with it."""
    headers = {"Content-Type": "application/x-tar", "Connection": "close"} | headers
    taken = call.connection.take_over()
    try:
        await send_head(taken, "200 OK", headers | common_headers(call.engine.settings.version))
    except BaseException:
        taken.close()
        raise
    return taken


async def _get(call: Call) -> web.StreamResponse:
    async with outgoing(call.engine, call.id, call.text("path")) as archive:
        taken = await _take_for_tar(call, {_STAT_HEADER: path_stat_header(archive.stat)})
        try:
            await archive.write_to(taken.fd)
        finally:
            taken.close()
    return Handed()


async def _put(call: Call) -> web.StreamResponse:
    await extract_archive(
        call.engine,
        call.id,
        call.text("path"),
        body_chunks(call),
        no_overwrite=call.flag("noOverwriteDirNonDir"),
        as_user=call.flag("copyUIDGID"),
    )
    return web.Response()


async def _changes(call: Call) -> web.StreamResponse:
    return reply(await list_changes(call.engine, call.id) or None)


async def _export(call: Call) -> web.StreamResponse:
    container = call.engine.containers.get(call.id)
    taken = await _take_for_tar(call, {})
    try:
        await export(call.engine, container, taken.fd)
    finally:
        taken.close()
    return Handed()


async def _commit(call: Call) -> web.StreamResponse:
    tree = await read_optional_tree(call.request)
    repository = call.text("repo")
    request = CommitRequest(
        container=call.text("container"),
        ref=named(repository, call.text("tag")) if repository else None,
        comment=call.text("comment"),
        author=call.text("author"),
        pause=call.flag("pause", default=True),
        changes=call.texts("changes"),
        config=convert(conform(tree, ContainerConfig), ContainerConfig) if tree else None,
    )
    return reply({"Id": await commit(call.engine, request)}, 201)


async def _match(call: Call) -> web.StreamResponse:
    return reply(await match_paths(call.engine, call.id, call.text("path")))


ROUTES = (
    Route("GET", "/windlass/containers/{id}/paths", _match),
    Route("POST", "/commit", _commit),
    Route("GET", "/containers/{id}/changes", _changes),
    Route("GET", "/containers/{id}/export", _export),
    Route("HEAD", "/containers/{id}/archive", _stat),
    Route("GET", "/containers/{id}/archive", _get),
    Route("PUT", "/containers/{id}/archive", _put),
)
