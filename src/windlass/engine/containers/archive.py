"""`cp`: what is at a path of a container, as a tar out of it, and a tar into it; running, paused or stopped.

Source: moby, daemon/archive.go, and the texts of its errors.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from windlass.base.errors import Cancelled, InvalidParameter, NotFound
from windlass.engine.containers.announce import announce
from windlass.engine.containers.reach import Reached, reached
from windlass.engine.engine import Engine
from windlass.files.model import PathStat
from windlass.images.feed import ByteSource, feed

_STAT_LIMIT_BYTES = 64 << 10


class NoSuchFile(NotFound):
    """Nothing is at a path of a container."""

    def __init__(self, path: str, reference: str) -> None:
        super().__init__(f"Could not find the file {path} in container {reference}")
        self.path = path


def check_path(path: str) -> str:
    """Return a path that a client gave.

    Raises:
        InvalidParameter: there is none, or it is no path.
    """
    if not path:
        raise InvalidParameter("bad parameter: path cannot be empty")
    if "\0" in path or len(path) > 4096:
        raise InvalidParameter("bad parameter: path is invalid")
    return path


async def stat_path(engine: Engine, reference: str, path: str) -> PathStat:
    """Return what is at a path of a container; a symbolic link at its end is not followed.

    Raises:
        NoSuchContainer, NoSuchFile: it is not there.
        WindlassError: the host refused.
    """
    container = engine.containers.get(reference)
    check_path(path)
    async with reached(engine, container) as files:
        params = {"where": files.params, "path": path}
        with _named(path, reference):
            result = await engine.launcher.run_job("files-stat", params, files.fds)
    return msgspec.convert(result, PathStat)


async def match_paths(engine: Engine, reference: str, pattern: str) -> list[str]:
    """Return the paths of a container that a pattern of the shell means.

    Raises:
        NoSuchContainer: there is none.
        WindlassError: the pattern meets too much, or the host refused.
    """
    container = engine.containers.get(reference)
    check_path(pattern)
    async with reached(engine, container) as files:
        result = await engine.launcher.run_job("files-glob", {"where": files.params, "path": pattern}, files.fds)
    return msgspec.convert(result["paths"], list[str])


class _named:
    """Tells a client which path and which container a worker did not find, in the client's words."""

    def __init__(self, path: str, reference: str) -> None:
        self._path = path
        self._reference = reference

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, NotFound):
            raise NoSuchFile(self._path, self._reference) from None


class OutgoingArchive:
    """A path of a container, found by a worker that waits for a connection to send it to."""

    def __init__(self, stat: PathStat, control: socket.socket, work: asyncio.Task[dict[str, object]]) -> None:
        self.stat = stat
        self._control = control
        self._work = work

    async def write_to(self, fd: int) -> None:
        """Have the worker write the tar to `fd`, a client's connection; it stays the caller's to close.

        Raises:
            Cancelled: the client went away.
            WindlassError: the host refused.
        """
        socket.send_fds(self._control, [b"."], [fd])
        await self._work


@asynccontextmanager
async def outgoing(engine: Engine, reference: str, path: str) -> AsyncIterator[OutgoingArchive]:
    """Yield a path of a container, ready to be sent.

    Raises:
        NoSuchContainer, NoSuchFile: it is not there.
        WindlassError: the host refused.
    """
    container = engine.containers.get(reference)
    check_path(path)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    try:
        async with reached(engine, container) as files, asyncio.TaskGroup() as group:
            work = group.create_task(_send(engine, files, path, reference, theirs))
            found = await _told(ours, work)
            yield OutgoingArchive(found, ours, work)
            # Who did not take it, does not want it.
            ours.close()
            await asyncio.wait((work,))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        ours.close()
    announce(engine, container, "archive-path")


async def _send(engine: Engine, files: Reached, path: str, reference: str, control: socket.socket) -> dict[str, object]:
    fds = [*files.fds, control.fileno()]
    try:
        with _named(path, reference):
            return await engine.launcher.run_job("files-send", {"where": files.params, "path": path}, fds)
    finally:
        control.close()


async def _told(control: socket.socket, work: asyncio.Task[dict[str, object]]) -> PathStat:
    """Wait for what the worker found."""
    data = await asyncio.get_running_loop().sock_recv(control, _STAT_LIMIT_BYTES)
    if not data:
        await work
        raise Cancelled("the worker ended")
    return msgspec.json.decode(data, type=PathStat)


async def extract_archive(
    engine: Engine,
    reference: str,
    path: str,
    source: ByteSource,
    *,
    no_overwrite: bool = False,
    as_user: bool = False,
) -> None:
    """Put a tar, compressed or not, into a directory of a container.

    With `no_overwrite` no directory is replaced by something else, nor the other way round. With `as_user` the files
    are the container's user's.

    Raises:
        NoSuchContainer, NoSuchFile: there is no such directory.
        InvalidParameter, Forbidden, DataLoss: in dockerd's words; what was put before stays.
        WindlassError: the host refused.
    """
    container = engine.containers.get(reference)
    check_path(path)
    user = container.intent.config.user if as_user else ""
    async with reached(engine, container) as files:
        params = {"where": files.params, "path": path, "no_overwrite": no_overwrite, "user": user}

        async def work(fd: int) -> object:
            with _named(path, reference):
                return await engine.launcher.run_job("files-extract", params, [*files.fds, fd])

        await feed(source, work)
    announce(engine, container, "extract-to-dir")
