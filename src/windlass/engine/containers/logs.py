"""`logs`: a worker reads the file and writes to the client's connection itself."""

from __future__ import annotations

import os
from dataclasses import dataclass

from windlass.base.errors import InvalidParameter, NotSupported
from windlass.engine.containers.container import Container
from windlass.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class LogRequest:
    """What a client wants of a log. `tail` is a number of records, -1 for all; times in nanoseconds, 0 for none."""

    stdout: bool = False
    stderr: bool = False
    follow: bool = False
    tail: int = -1
    since_ns: int = 0
    until_ns: int = 0
    timestamps: bool = False
    details: bool = False


def check_logs(container: Container, request: LogRequest) -> None:
    """Refuse what cannot be answered, before anything is sent.

    Raises:
        InvalidParameter: neither stream is wanted.
        NotSupported: the log driver keeps nothing.
    """
    if not request.stdout and not request.stderr:
        raise InvalidParameter("Bad parameters: you must choose at least one stream")
    if container.intent.host_config.log_config.type == "none":
        raise NotSupported("configured logging driver does not support reading")


async def send_logs(engine: Engine, container: Container, request: LogRequest, connection: int) -> None:
    """Send a log to `connection`, which stays the caller's to close; returns when all was sent or the client left."""
    follow = request.follow and container.state.is_running
    pidfd = _pidfd(container) if follow else -1
    params = {
        "path": container.paths.log,
        "follow": follow,
        "tail": request.tail,
        "since_ns": request.since_ns,
        "until_ns": request.until_ns,
        "timestamps": request.timestamps,
        "details": request.details,
        "stdout": request.stdout,
        "stderr": request.stderr,
        "framed": not container.intent.config.tty,
        "record_path": container.paths.exit_record if follow else "",
    }
    try:
        await engine.launcher.run_job("logs", params, [connection, *([pidfd] if pidfd >= 0 else [])])
    finally:
        if pidfd >= 0:
            os.close(pidfd)


def _pidfd(container: Container) -> int:
    """A descriptor that tells of the process's end; -1 when it has ended just now."""
    try:
        return os.pidfd_open(container.state.pid)
    except OSError:
        return -1
