"""Reading a container's log straight to a client: the job behind `GET /containers/{id}/logs`.

It runs in a worker with the client's connection, so that neither the daemon nor the supervisor sees a byte of it, and a
client that stalls only stalls its worker. Records are decoded by the chunk and sent as few large frames.

Source: Engine API, ContainerLogs; the file format is `windlass.launch.log_file`'s.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterator
from typing import Any

import msgspec

from windlass.base.clock import rfc3339_nano
from windlass.launch.streams import STREAM_NUMBERS
from windlass.linux.inotify import IN_CREATE, IN_MODIFY, IN_MOVED_TO, Inotify

_CHUNK = 1 << 20
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


class Record(msgspec.Struct):
    """One line of the file."""

    log: str = ""
    stream: str = "stdout"
    time: str = ""
    attrs: dict[str, str] = {}


_decoder = msgspec.json.Decoder(Record)


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
        self._since = rfc3339_nano(query.since_ns) if query.since_ns else ""
        self._until = rfc3339_nano(query.until_ns) if query.until_ns else ""
        self._rest = b""
        self._past_end = False

    def run(self) -> None:
        """Send what is there; then, when following, what comes."""
        files = _open_all(self._query.path)
        if not files:
            if not self._query.follow:
                return
            files = [os.open(self._query.path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)]
        if self._query.tail >= 0:
            files = _seek_to_tail(files, self._query.tail)
        for fd in files[:-1]:
            self._send_file(fd)
            os.close(fd)
        self._send_file(files[-1])
        if self._query.follow and not self._past_end:
            self._follow(files[-1])

    def _send_file(self, fd: int) -> None:
        while not self._past_end and (chunk := os.read(fd, _CHUNK)):
            data = self._rest + chunk
            end = data.rfind(b"\n") + 1
            self._rest = data[end:]
            if end:
                self._send_records(_decode(data[:end]))

    def _send_records(self, records: list[Record]) -> None:
        query = self._query
        if self._since:
            records = [record for record in records if record.time >= self._since]
        if self._until:
            kept = [record for record in records if record.time <= self._until]
            self._past_end = len(kept) < len(records)
            records = kept
        parts: list[bytes] = []
        for stream, texts in _runs(records, query):
            payload = "".join(texts).encode("utf-8", "surrogatepass")
            if query.framed:
                parts.append(bytes((STREAM_NUMBERS.get(stream, 1), 0, 0, 0)) + len(payload).to_bytes(4, "big"))
            parts.append(payload)
        if parts:
            self._client.sendall(b"".join(parts))

    # --- following --------------------------------------------------------------------------------

    def _follow(self, fd: int) -> None:
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
            self._send_file(fd)
            fd = self._next_file(fd)
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

    def _next_file(self, fd: int) -> int:
        """After a rotation, read on in the files that came since, in order."""
        inode = os.fstat(fd).st_ino
        newer: list[int] = []
        for candidate in reversed(_open_all(self._query.path)):
            if os.fstat(candidate).st_ino == inode:
                os.close(candidate)
                break
            newer.insert(0, candidate)
        for candidate in newer:
            self._send_file(fd)
            os.close(fd)
            fd = candidate
            self._send_file(fd)
        return fd


def _decode(lines: bytes) -> list[Record]:
    """Decode complete lines; a line that is no record (a crash of the host tore it) is left out."""
    try:
        return _decoder.decode_lines(lines)
    except msgspec.DecodeError:
        records = []
        for line in lines.splitlines():
            try:
                records.append(_decoder.decode(line))
            except msgspec.DecodeError:
                continue
        return records


def _runs(records: list[Record], query: LogQuery) -> Iterator[tuple[str, list[str]]]:
    """Group neighbours of one stream, with the decorations asked for."""
    wanted = {name for name, asked in (("stdout", query.stdout), ("stderr", query.stderr)) if asked}
    plain = not query.timestamps and not query.details
    current = ""
    texts: list[str] = []
    for record in records:
        stream = record.stream
        if stream != current:
            if texts:
                yield current, texts
                texts = []
            current = stream
        if stream in wanted:
            texts.append(record.log if plain else _decorate(record, query))
    if texts:
        yield current, texts


def _decorate(record: Record, query: LogQuery) -> str:
    details = ""
    if query.details:
        details = ",".join(f"{key}={value}" for key, value in sorted(record.attrs.items())) + " "
    stamp = f"{record.time} " if query.timestamps else ""
    return stamp + details + record.log


def _open_all(path: str) -> list[int]:
    """Open the rotated files and the current one, oldest first."""
    fds: list[int] = []
    number = 0
    while True:
        name = f"{path}.{number}" if number else path
        try:
            fds.insert(0, os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
        except FileNotFoundError:
            return fds
        number += 1


def _seek_to_tail(files: list[int], tail: int) -> list[int]:
    """Position the files so that `tail` records remain; returns those that still matter, the last one always."""
    kept: list[int] = []
    remaining = tail
    for fd in reversed(files):
        if remaining == 0 and kept:
            os.close(fd)
            continue
        kept.insert(0, fd)
        remaining = _seek_back(fd, remaining)
    return kept


def _seek_back(fd: int, lines: int) -> int:
    """Leave at most `lines` lines to read in `fd`; returns how many are still wanted from older files."""
    end = os.lseek(fd, 0, os.SEEK_END)
    if lines == 0:
        return 0
    position = end
    # The newline that ends the last line is not a boundary between two.
    needed = lines + 1
    while position > 0:
        start = max(0, position - _CHUNK)
        block = os.pread(fd, position - start, start)
        count = block.count(b"\n")
        if count >= needed:
            at = len(block)
            for _ in range(needed):
                at = block.rfind(b"\n", 0, at)
            os.lseek(fd, start + at + 1, os.SEEK_SET)
            return 0
        needed -= count
        position = start
    os.lseek(fd, 0, os.SEEK_SET)
    return max(0, needed - 1)


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
