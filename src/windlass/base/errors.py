"""The closed set of error kinds.

    WindlassError
    ├── InvalidParameter    the caller's words are wrong            HTTP 400
    ├── Unauthorized        credentials missing or refused          HTTP 401
    ├── Forbidden           understood, and not allowed             HTTP 403
    ├── NotFound            the named thing does not exist          HTTP 404
    ├── Conflict            the thing's state forbids it            HTTP 409
    ├── NotModified         already so                              HTTP 304
    ├── NotSupported        known, and not offered here             HTTP 501
    ├── Unavailable         a part we need does not answer          HTTP 503
    ├── DataLoss            stored or received bytes are corrupt    HTTP 500
    ├── Cancelled           the caller went away                    HTTP 499
    └── System              the host refused (kernel, disk)         HTTP 500

Concrete errors live beside the code that raises them, as subclasses of one of these. Each edge (HTTP,
exit code) maps kinds exactly once. Messages are API: Docker's clients match on them.
"""

from __future__ import annotations


class WindlassError(Exception):
    """Base of every error meant for the caller; `str(error)` is the message shown."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidParameter(WindlassError):
    """The request is malformed or contradicts itself."""


class Unauthorized(WindlassError):
    """Credentials are missing or were refused."""


class Forbidden(WindlassError):
    """Understood, and not allowed."""


class NotFound(WindlassError):
    """The named object does not exist."""


class Conflict(WindlassError):
    """The object's present state forbids the request."""


class NotModified(WindlassError):
    """The object is already in the requested state."""


class NotSupported(WindlassError):
    """A known request that this engine does not offer."""


class Unavailable(WindlassError):
    """A part that is needed does not answer."""


class DataLoss(WindlassError):
    """Stored or received bytes are corrupt."""


class Cancelled(WindlassError):
    """The caller went away before the work was done."""


class System(WindlassError):
    """The host refused: a kernel call failed, a disk is full."""
