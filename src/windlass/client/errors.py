"""What can go wrong between the command line and the engine.

ClientError
├── CannotConnect    nobody listens at the endpoint
├── BadEndpoint      the endpoint's text means nothing
├── ProtocolError    the peer does not speak HTTP/1.1, or broke off
└── ApiError         the engine answered with a status of 400 or more
"""

from __future__ import annotations


class ClientError(Exception):
    """Base of the client's errors; `str(error)` is what to show."""


class BadEndpoint(ClientError):
    """The text given as host is not an address of an engine."""


class CannotConnect(ClientError):
    """No engine listens at `endpoint`; `reason` is the operating system's error."""

    def __init__(self, endpoint: str, reason: OSError) -> None:
        self.endpoint = endpoint
        self.reason = reason
        if isinstance(reason, PermissionError):
            text = f"permission denied while trying to connect to the Docker daemon socket at {endpoint}: {reason}"
        else:
            text = f"Cannot connect to the Docker daemon at {endpoint}. Is the docker daemon running?"
        super().__init__(text)


class ProtocolError(ClientError):
    """The peer's bytes are not the HTTP answer that was due."""


class ApiError(ClientError):
    """The engine refused: HTTP `status` and its `message`."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(f"Error response from daemon: {message}")
