"""Waiting for a container's end, across restarts of the engine."""

from __future__ import annotations

import time

from windlass.cli.errors import EXIT_ENGINE, CliError
from windlass.client.errors import ApiError, CannotConnect, ProtocolError
from windlass.client.json_text import loads
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.client.engine import Engine
    from windlass.client.http import Answer

RECONNECT_S = 15.0
PAUSE_S = 0.05


class Waiter:
    """A wait registered with the engine before the container starts, so that no exit is missed."""

    def __init__(self, engine: Engine, container: str, condition: str) -> None:
        self._engine = engine
        self._path = f"/containers/{quote(container)}/wait"
        self._answer = self._ask(condition)

    def _ask(self, condition: str) -> Answer:
        return self._engine.stream("POST", self._path, {"condition": condition} if condition else {})

    def status(self) -> int:
        """Block until the container has ended and return its exit code; raises CliError (125).

        When the engine goes away meanwhile the container goes on: the question is put to the engine that comes back.
        """
        try:
            return _exit_code(self._answer.read())
        except (ProtocolError, OSError) as error:
            return self._ask_again(error)

    def _ask_again(self, first: Exception) -> int:
        deadline = time.monotonic() + RECONNECT_S
        while time.monotonic() < deadline:
            try:
                return _exit_code(self._ask("not-running").read())
            except (CannotConnect, ProtocolError, OSError):
                time.sleep(PAUSE_S)
            except ApiError as error:
                raise CliError(f"error waiting for container: {error.message}", EXIT_ENGINE) from None
        raise CliError(f"error waiting for container: {first}", EXIT_ENGINE)


def _exit_code(raw: bytes) -> int:
    result = loads(raw)
    if not isinstance(result, dict):
        raise CliError("error waiting for container: unexpected answer", EXIT_ENGINE)
    failure = result.get("Error")
    if isinstance(failure, dict) and failure.get("Message"):
        raise CliError(f"error waiting for container: {failure['Message']}", EXIT_ENGINE)
    return int(result.get("StatusCode", 0))
