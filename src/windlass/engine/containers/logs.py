"""`logs`: a worker reads the file and writes to the client's connection itself."""

from __future__ import annotations

import os
from dataclasses import dataclass

from windlass.base.errors import InvalidParameter, NotSupported
from windlass.engine.containers.container import Container
from windlass.engine.containers.log_plans import log_file
from windlass.engine.engine import Engine
from windlass.engine.errors import NoSuchContainer


@dataclass(frozen=True, slots=True)
class LogRequest:
    """What a client wants of a log. `tail` is a number of records, -1 for all; times in nanoseconds, 0 for none.

    `framed` puts the 8-byte frames around records of containers without a terminal.
    """

    stdout: bool = False
    stderr: bool = False
    follow: bool = False
    tail: int = -1
    since_ns: int = 0
    until_ns: int = 0
    timestamps: bool = False
    details: bool = False
    framed: bool = True


def check_logs(container: Container, request: LogRequest) -> None:
    """Refuse what cannot be answered, before anything is sent.

    Raises:
        InvalidParameter: neither stream is wanted.
        NotSupported: the log driver keeps nothing.
    """
    if not request.stdout and not request.stderr:
        raise InvalidParameter("Bad parameters: you must choose at least one stream")
    if not log_file(container.intent, container.paths)[0]:
        raise NotSupported("configured logging driver does not support reading")


async def send_logs(engine: Engine, container: Container, request: LogRequest, connection: int) -> None:
    """Send a log to `connection`, which stays the caller's to close; returns when all was sent or the client left.

    The files are there to the end even if the container is removed meanwhile.
    """
    path, format_ = log_file(container.intent, container.paths)
    follow = request.follow and container.state.is_running
    params = {
        "path": path.removeprefix(f"{container.paths.base}/"),
        "format": format_,
        "record_path": container.paths.exit_record if follow else "",
        "in_directory": True,
        "follow": follow,
        "tail": request.tail,
        "since_ns": request.since_ns,
        "until_ns": request.until_ns,
        "timestamps": request.timestamps,
        "details": request.details,
        "stdout": request.stdout,
        "stderr": request.stderr,
        "framed": request.framed and not container.intent.config.tty,
    }
    opened = [_directory(container)]
    if follow and (pidfd := _pidfd(container)) >= 0:
        opened.append(pidfd)
    container.log_readers += 1
    try:
        await engine.launcher.run_job("logs", params, [connection, *opened])
    finally:
        container.log_readers -= 1
        if not container.log_readers:
            container.unread.set()
        for fd in opened:
            os.close(fd)


def _directory(container: Container) -> int:
    try:
        return os.open(container.paths.base, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise NoSuchContainer(container.id) from error


def _pidfd(container: Container) -> int:
    """A descriptor that tells of the process's end; -1 when it has ended just now."""
    try:
        return os.pidfd_open(container.state.pid)
    except OSError:
        return -1
