"""Error kinds to HTTP status codes: the one place where they meet."""

from __future__ import annotations

import errno

from windlass.base import errors

# Source: Engine API, "Errors"; 499 is the proxies' word for a client that went away.
_STATUS: dict[type[errors.WindlassError], int] = {
    errors.InvalidParameter: 400,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.NotModified: 304,
    errors.NotSupported: 501,
    errors.Unavailable: 503,
    errors.DataLoss: 500,
    errors.Cancelled: 499,
    errors.System: 500,
}


def status_of(error: errors.WindlassError) -> int:
    """Return the status code of an error's kind; 500 for one of no kind."""
    for kind in type(error).__mro__:
        status = _STATUS.get(kind)
        if status is not None:
            return status
    return 500


def os_error_text(error: OSError) -> str:
    """Return what a client is told of a refusal of the kernel that nobody put into words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no space left on device"
    text = (error.strerror or str(error)).lower()
    return f"{error.filename}: {text}" if error.filename else text
