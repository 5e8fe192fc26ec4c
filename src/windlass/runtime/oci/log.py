"""What the commands say: one line for an error on standard error, and all of it in the log that the caller asked for.

Source: the formats of runc, whose last line engines read: `{"level","msg","time"}`, or logrus' text.
"""

from __future__ import annotations

import os

from windlass.base.errors import InvalidParameter

_MAX_MESSAGE = 32 * 1024


class Log:
    """Messages to `path` (empty: standard error) as `text` or `json`."""

    def __init__(self, path: str = "", form: str = "text", *, debug: bool = False) -> None:
        if form not in ("", "text", "json"):
            raise InvalidParameter(f"invalid log-format: {form}")
        self._form = form or "text"
        self._debug = debug
        self._fd = 2
        if path and path != "/dev/stderr":
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def error(self, message: str) -> None:
        """Say why the command failed."""
        self._write("error", message)
        if self._fd != 2:
            _write_all(2, f"{message}\n".encode(errors="replace"))

    def warn(self, message: str) -> None:
        """Say what was left out, or went wrong without being the command's failure."""
        self._write("warning", message)

    def debug(self, message: str) -> None:
        """Say what was done, with --debug."""
        if self._debug:
            self._write("debug", message)

    def _write(self, level: str, message: str) -> None:
        # Texts can carry what a container said: one line, and not a flood.
        message = message[:_MAX_MESSAGE]
        if self._form == "json":
            from windlass.base import cold_json

            line = cold_json.dumps({"level": level, "msg": message, "time": now()})
        elif self._fd == 2 and level == "error":
            line = " ".join(message.splitlines())
        else:
            from windlass.base import cold_json

            line = f'time="{now()}" level={level} msg={cold_json.dumps(message)}'
        _write_all(self._fd, line.encode(errors="replace") + b"\n")


def now() -> str:
    """Return the time as RFC 3339 with nanoseconds, in UTC."""
    import time

    seconds, fraction = divmod(time.time_ns(), 1_000_000_000)
    t = time.gmtime(seconds)
    day = f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d}"
    return f"{day}T{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}.{fraction:09d}Z"


def _write_all(fd: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError:
        # Nobody reads it any more; there is nowhere else to say so.
        return
