"""The audit log: one JSON line for each request, of who asked for what and what came of it.

    {"time":"...Z","peer":{"uid":0,"gid":0,"pid":815},"method":"POST","path":"/v1.47/containers/x/start","status":204,
     "duration_ms":12.3}

Neither queries nor bodies nor headers are in it. Lines are written by a thread of its own and requests never wait for
it: what the disk does not take in time is counted, and the count is written when it can be (`"lost": 17`).
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from itertools import pairwise

import msgspec

from windlass.api.observing import Answered
from windlass.base import logging as log
from windlass.base.clock import now_ns, rfc3339_nano
from windlass.base.errors import InvalidParameter

_QUEUE_LIMIT = 8192
_PATH_LIMIT = 1024
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_encode = msgspec.json.Encoder().encode
_log = logging.getLogger("windlass.daemon")


class AuditLog:
    """Writes to `path`, and renames it to `path.1` and so on when it has `max_bytes`; `max_files` with the first."""

    def __init__(self, path: str, max_bytes: int, max_files: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._lines: deque[bytes] = deque()
        self._lost = 0
        self._there_is_work = threading.Event()
        self._closing = False
        self._fd = self._open()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def observe(self, answered: Answered) -> None:
        """Have a request written down."""
        if len(self._lines) >= _QUEUE_LIMIT:
            self._lost += 1
            return
        line = {
            "time": rfc3339_nano(now_ns()),
            "peer": answered.peer,
            "method": answered.method[:_PATH_LIMIT],
            "path": answered.path[:_PATH_LIMIT],
            "status": answered.status,
            "duration_ms": round(answered.duration_s * 1e3, 3),
        }
        self._lines.append(_encode(line) + b"\n")
        self._there_is_work.set()

    def close(self) -> None:
        """Write what there is, and close the file. Blocks."""
        self._closing = True
        self._there_is_work.set()
        self._thread.join()
        os.close(self._fd)

    def _open(self) -> int:
        try:
            return os.open(self._path, _FLAGS, 0o600)
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            raise InvalidParameter(f"cannot open the audit log {self._path}: {reason}") from None

    def _run(self) -> None:
        while True:
            self._there_is_work.wait()
            self._there_is_work.clear()
            closing = self._closing
            self._write_all()
            if closing:
                return

    def _write_all(self) -> None:
        taken: list[bytes] = []
        while self._lines:
            taken.append(self._lines.popleft())
        if self._lost:
            lost, self._lost = self._lost, 0
            taken.append(_encode({"time": rfc3339_nano(now_ns()), "lost": lost}) + b"\n")
        try:
            self._rotate_if_full()
            data = memoryview(b"".join(taken))
            while data:
                data = data[os.write(self._fd, data) :]
        except (OSError, InvalidParameter) as error:
            self._lost += len(taken)
            log.event(_log, logging.ERROR, "audit log not written", error=error, lines=len(taken))

    def _rotate_if_full(self) -> None:
        if os.fstat(self._fd).st_size < self._max_bytes:
            return
        names = [self._path, *(f"{self._path}.{number}" for number in range(1, self._max_files))]
        for newer, older in reversed(list(pairwise(names))):
            if os.path.exists(newer):
                os.rename(newer, older)
        if self._max_files == 1:
            os.unlink(self._path)
        fresh = self._open()
        os.close(self._fd)
        self._fd = fresh
