"""Workers' jobs of `cp`: looking at a path, sending it as a tar, taking one. Each enters the container's root for good.

A stranger's archive is read, and decompressed, by this process alone (CVE-2026-41567).
"""

from __future__ import annotations

import os
import socket
import stat
from typing import Any

import msgspec

from windlass.archive.compression import DecodedStream
from windlass.archive.extract import extract
from windlass.archive.pack import PackOptions, pack, pack_one
from windlass.archive.sink import FdSink
from windlass.archive.source import FdStream
from windlass.archive.writer import TarWriter
from windlass.base.errors import Cancelled, Forbidden, InvalidParameter, NotFound, System
from windlass.files.entering import enter
from windlass.files.looking import Found, described, find, is_kernels
from windlass.files.model import ExtractParams, PathStat, StatParams
from windlass.files.paths import RequestedPath, requested
from windlass.launch import users
from windlass.launch.init_context import StepFailed
from windlass.linux.fs import open_in_root


def stat_job(params: dict[str, Any], fds: list[int]) -> dict[str, Any]:
    """Return the `PathStat` of a path.

    Raises:
        NotFound: nothing is there.
        WindlassError: the host refused.
    """
    wanted = msgspec.convert(params, StatParams)
    inside = enter(wanted.where, fds)
    path = requested(wanted.path)
    return _builtins(described(path, _find(inside.root_fd, path)))


def send_job(params: dict[str, Any], fds: list[int]) -> dict[str, Any]:
    """Tell what is at a path on a socket, the first descriptor; take a connection from there, and send the tar to that.

    Raises:
        NotFound: nothing is there; before anything was told.
        Cancelled: the client went away.
        WindlassError: the host refused.
    """
    wanted = msgspec.convert(params, StatParams)
    inside = enter(wanted.where, fds, reopen=True)
    control = socket.socket(fileno=inside.fds[0])
    path = requested(wanted.path)
    found = _find(inside.root_fd, path)
    control.send(msgspec.json.encode(described(path, found)))
    _, received, _, _ = socket.recv_fds(control, 1, 1, socket.MSG_CMSG_CLOEXEC)
    if not received:
        raise Cancelled("the client went away")
    os.set_blocking(received[0], True)
    sink = FdSink(received[0])
    writer = TarWriter(sink)
    try:
        _pack(path, found, writer, inside.reopen_fd)
        writer.finish()
    except BrokenPipeError:
        raise Cancelled("the client went away") from None
    return {"size_bytes": sink.count}


def _pack(path: RequestedPath, found: Found, writer: TarWriter, reopen_fd: int) -> None:
    name = os.fsencode(path.name)
    if not stat.S_ISDIR(found.status.st_mode):
        pack_one(found.directory_fd, found.name, writer, PackOptions(reopen_fd=reopen_fd))
        return
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    root_fd = os.open(found.name or b".", flags, dir_fd=found.directory_fd)
    prefix = name if name == b"/" else name + b"/"
    pack(root_fd, writer, PackOptions(prefix, with_root=True, hides=is_kernels, reopen_fd=reopen_fd))


def extract_job(params: dict[str, Any], fds: list[int]) -> dict[str, Any]:
    """Put the archive that the first descriptor gives, compressed or not, into a directory.

    Raises:
        NotFound: there is no such directory.
        InvalidParameter: it is none, or an entry is refused.
        Forbidden: it is read-only.
        WindlassError: the archive is bad or the host refused; what was put before stays.
    """
    wanted = msgspec.convert(params, ExtractParams)
    inside = enter(wanted.where, fds)
    path = requested(wanted.path)
    directory_fd = _open_directory(inside.root_fd, path)
    _check_writable(inside.root_fd, directory_fd)
    owner = _owner(inside.root_fd, wanted.user)
    shown = path.absolute
    stream = DecodedStream(FdStream(inside.fds[0]))
    return {"entries": extract(stream, directory_fd, shown, no_overwrite=wanted.no_overwrite, owner=owner)}


def _find(root_fd: int, path: RequestedPath) -> Found:
    try:
        return find(root_fd, path)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(path.absolute) from None
    except OSError as error:
        raise _refused(error, path) from None


def _refused(error: OSError, path: RequestedPath) -> System:
    return System(f"lstat {path.absolute}: {os.strerror(error.errno or 0).lower()}")


def _open_directory(root_fd: int, path: RequestedPath) -> int:
    try:
        fd = open_in_root(root_fd, path.whole, os.O_PATH)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(path.absolute) from None
    except OSError as error:
        raise _refused(error, path) from None
    if not stat.S_ISDIR(os.fstat(fd).st_mode):
        raise InvalidParameter("extraction point is not a directory")
    if is_kernels(fd):
        raise NotFound(path.absolute)
    return fd


def _check_writable(root_fd: int, directory_fd: int) -> None:
    if not os.fstatvfs(directory_fd).f_flag & os.ST_RDONLY:
        return
    if os.fstat(directory_fd).st_dev == os.fstat(root_fd).st_dev:
        raise Forbidden("container rootfs is marked read-only")
    raise Forbidden("mounted volume is marked read-only")


def _owner(root_fd: int, user: str) -> tuple[int, int] | None:
    if not user:
        return None
    try:
        found = users.resolve(root_fd, user, [])
    except StepFailed as error:
        raise InvalidParameter(str(error)) from None
    return found.uid, found.gid


def _builtins(value: PathStat) -> dict[str, Any]:
    result: dict[str, Any] = msgspec.to_builtins(value)
    return result
