"""Error kinds to HTTP: the one place where they are mapped.

Source: Engine API, "Errors".
"""

from __future__ import annotations

import errno

import msgspec
from aiohttp import web

from windlass.base import errors

_STATUS: tuple[tuple[type[errors.WindlassError], int], ...] = (
    (errors.InvalidParameter, 400),
    (errors.Unauthorized, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.NotModified, 304),
    (errors.NotSupported, 501),
    (errors.Unavailable, 503),
    (errors.Cancelled, 499),
    (errors.DataLoss, 500),
    (errors.System, 500),
)


def status_of(error: BaseException) -> int:
    """Return the HTTP status of an error."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    return 500


def message_of(error: BaseException) -> str:
    """Return what the client is told."""
    if isinstance(error, errors.WindlassError):
        return error.message
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "no space left on device"
    if isinstance(error, OSError):
        return str(error)
    return f"internal error: {type(error).__name__}: {error}"


def error_body(message: str) -> bytes:
    """Return the JSON that clients expect with an error status."""
    return msgspec.json.encode({"message": message}) + b"\n"


def error_response(error: BaseException) -> web.Response:
    """Return the response for an error that a handler raised."""
    status = status_of(error)
    if status == 304:
        return web.Response(status=304)
    return web.Response(status=status, body=error_body(message_of(error)), content_type="application/json")


def page_not_found() -> web.Response:
    """Return the response for a path that nothing serves."""
    return web.Response(status=404, body=error_body("page not found"), content_type="application/json")
