"""Reading a container's log straight to a client: the job behind `GET /containers/{id}/logs`.

It runs in a worker with the client's connection, so that neither the daemon nor the supervisor sees a byte of it, and a
client that stalls only stalls its worker. One that is slower than the log rotates misses what was rotated away.

Source: Engine API, ContainerLogs.
"""

from __future__ import annotations

import os
import select
import socket
from typing import Any

import msgspec

from windlass.base.clock import rfc3339_nano
from windlass.launch.log_read_json import JsonFormat
from windlass.launch.log_read_local import LocalFormat
from windlass.launch.log_records import Format, Runs, View
from windlass.launch.log_source import Source, open_all
from windlass.launch.streams import STREAM_NUMBERS
from windlass.linux.inotify import IN_CREATE, IN_MODIFY, IN_MOVED_TO, Inotify

# Without inotify (its watches are a limited resource) the file is looked at this often.
_POLL_MS = 200
# Once the process has ended, its supervisor gets this long to write the last lines and the exit record.
_END_GRACE_MS = 5000


class LogQuery(msgspec.Struct, frozen=True):
    """What the client asked for. `tail` is a number of records, -1 for all; times are nanoseconds, 0 for none.

    `record_path` appears when the container has ended. With `in_directory`, `path` is relative to a directory passed
    by descriptor, which a removal of the container may rename at any time. The job's descriptors: the client's
    connection, that directory, and, to follow, a pidfd of the container's process.
    """

    path: str
    format: str = "json"
    follow: bool = False
    tail: int = -1
    since_ns: int = 0
    until_ns: int = 0
    timestamps: bool = False
    details: bool = False
    stdout: bool = True
    stderr: bool = True
    framed: bool = True
    record_path: str = ""
    in_directory: bool = False


def logs_job(params: dict[str, Any], fds: list[int]) -> dict[str, object]:
    """Send the log to the client; returns when everything was sent, or the client has gone."""
    query = msgspec.convert(params, LogQuery)
    if query.in_directory:
        os.fchdir(fds.pop(1))
    os.set_blocking(fds[0], True)
    client = socket.socket(fileno=fds[0])
    try:
        _Reader(query, client, fds[1] if len(fds) > 1 else -1).run()
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        client.close()
    return {}


class _Reader:
    """Walks the files of one log, oldest first, and stays at the last when it follows."""

    def __init__(self, query: LogQuery, client: socket.socket, pidfd: int) -> None:
        self._query = query
        self._client = client
        self._pidfd = pidfd
        self._format: Format = JsonFormat() if query.format == "json" else LocalFormat()
        wanted = (("stdout", query.stdout), ("stderr", query.stderr))
        self._view = View(
            frozenset(name for name, asked in wanted if asked),
            rfc3339_nano(query.since_ns) if query.since_ns else "",
            rfc3339_nano(query.until_ns) if query.until_ns else "",
            query.timestamps,
            query.details,
        )
        self._past_end = False

    def run(self) -> None:
        """Send what is there; then, when following, what comes."""
        sources = open_all(self._query.path)
        if not sources:
            if not self._query.follow:
                return
            sources = [self._await_first()]
        if self._query.tail >= 0:
            sources = self._keep_last(sources, self._query.tail)
        for source in sources[:-1]:
            if source.compressed or source.modified_ns >= self._query.since_ns:
                self._send_file(source)
            source.close()
        self._send_file(sources[-1])
        if self._query.follow and not self._past_end:
            self._follow(sources[-1])

    def _await_first(self) -> Source:
        """A container that has just started has no log yet: its supervisor will find this one."""
        os.makedirs(os.path.dirname(self._query.path) or ".", 0o700, exist_ok=True)
        flags = os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return Source(os.open(self._query.path, flags, 0o640), compressed=False)

    def _keep_last(self, sources: list[Source], tail: int) -> list[Source]:
        """Position the files so that `tail` records remain; returns those that still matter, the last one always."""
        kept: list[Source] = []
        for source in reversed(sources):
            if tail == 0 and kept:
                source.close()
                continue
            kept.insert(0, source)
            tail = source.keep_last(tail, self._format)
        return kept

    def _send_file(self, source: Source) -> None:
        if self._past_end:
            return
        for data in source.read(self._format):
            runs, self._past_end = self._format.render(data, self._view)
            self._send(runs)
            if self._past_end:
                return

    def _send(self, runs: Runs) -> None:
        parts: list[bytes] = []
        for stream, payload in runs:
            if not payload:
                continue
            if self._query.framed:
                parts.append(bytes((STREAM_NUMBERS.get(stream, 1), 0, 0, 0)) + len(payload).to_bytes(4, "big"))
            parts.append(payload)
        if parts:
            self._client.sendall(b"".join(parts))

    # --- following --------------------------------------------------------------------------------

    def _follow(self, source: Source) -> None:
        poll = select.poll()
        poll.register(self._client, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        watch = _watch(self._query)
        if watch is not None:
            poll.register(watch, select.POLLIN)
        if self._pidfd >= 0:
            poll.register(self._pidfd, select.POLLIN)
        deadline_ms: int | None = None if watch is not None else _POLL_MS
        ended = False
        while not self._past_end:
            # The record before the read: what was written before the end is then certainly seen.
            finished = bool(self._query.record_path) and os.path.exists(self._query.record_path)
            self._send_file(source)
            source = self._next_file(source)
            if finished:
                return
            ready = poll.poll(_END_GRACE_MS if ended else deadline_ms)
            if ended and not ready:
                return
            for ready_fd, _events in ready:
                if ready_fd == self._client.fileno():
                    return
                if ready_fd == self._pidfd:
                    ended = True
                    poll.unregister(self._pidfd)
            if watch is not None:
                watch.drain()

    def _next_file(self, source: Source) -> Source:
        """After a rotation, read on in the files that came since, in order."""
        try:
            if os.stat(self._query.path, follow_symlinks=False).st_ino == source.inode:
                return source
        except FileNotFoundError:
            pass
        newer: list[Source] = []
        found = False
        for candidate in reversed(open_all(self._query.path)):
            found = found or candidate.is_same(source)
            if found:
                candidate.close()
            else:
                newer.insert(0, candidate)
        for candidate in newer:
            self._send_file(source)
            source.close()
            source = candidate
            self._send_file(source)
        return source


def _watch(query: LogQuery) -> Inotify | None:
    """Watch the log's directory and where the exit record will appear; None where inotify is used up."""
    watch = None
    try:
        watch = Inotify()
        watch.watch(os.path.dirname(query.path) or ".", IN_MODIFY | IN_CREATE | IN_MOVED_TO)
        if query.record_path:
            watch.watch(os.path.dirname(query.record_path) or ".", IN_CREATE | IN_MOVED_TO)
    except OSError:
        if watch is not None:
            watch.close()
        return None
    return watch
