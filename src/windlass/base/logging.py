"""Structured logging: one line a state change, ids as fields.

    time=2026-01-02T03:04:05.678901234Z level=info msg="container started" container=4f0c...

Fields travel in the record's `fields`; `event` puts them there. No secrets: environments and credentials are never
fields.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

from windlass.base.clock import rfc3339_nano

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}
_NAMES = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
    logging.CRITICAL: "fatal",
}
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/@^+:,")


def event(logger: logging.Logger, level: int, message: str, **fields: object) -> None:
    """Log `message` with `fields`."""
    if logger.isEnabledFor(level):
        logger.log(level, message, extra={"fields": fields})


def is_level(name: str) -> bool:
    """Tell whether `name` is a level as dockerd spells it."""
    return name in _LEVELS


def configure(level: str, style: str = "text") -> None:
    """Log to stderr from `level` up (`debug` to `fatal`), as `text` or `json` lines; may be called again."""
    root = logging.getLogger("windlass")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLine() if style == "json" else _KeyValue())
    for old in tuple(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.propagate = False
    root.setLevel(_LEVELS[level])
    # The event loop and the HTTP library complain here, and only when something is wrong.
    for name in ("asyncio", "aiohttp"):
        other = logging.getLogger(name)
        other.handlers = [handler]
        other.propagate = False
        other.setLevel(logging.WARNING)


def _pairs(formatter: logging.Formatter, record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    yield "time", rfc3339_nano(int(record.created * 1e9))
    yield "level", _NAMES.get(record.levelno, "info")
    yield "msg", record.getMessage()
    for key, value in getattr(record, "fields", {}).items():
        yield key, str(value)
    if record.exc_info:
        yield "error", formatter.formatException(record.exc_info)


class _KeyValue(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{key}={_quoted(value)}" for key, value in _pairs(self, record))


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(dict(_pairs(self, record)))


def _quoted(value: str) -> str:
    """Quote what is not one bare word, so that a container's name or output cannot forge a line."""
    return value if value and _BARE.issuperset(value) else json.dumps(value)
