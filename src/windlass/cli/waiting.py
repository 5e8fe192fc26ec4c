"""Waiting for a container's end, across restarts of the engine."""

from __future__ import annotations

import time

from windlass.cli.errors import EXIT_ENGINE, CliError
from windlass.client.errors import ApiError, CannotConnect, ProtocolError
from windlass.client.json_text import dumps, loads
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
        self._container = container
        self._path = f"/containers/{quote(container)}/wait"
        self._since_s = int(time.time())
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
                status = self._status_from_events()
                if status is not None:
                    return status
                raise CliError(f"error waiting for container: {error.message}", EXIT_ENGINE) from None
        raise CliError(f"error waiting for container: {first}", EXIT_ENGINE)

    def _status_from_events(self) -> int | None:
        """Return the exit code of a container that was removed meanwhile, as the engine that removed it reported it."""
        filters = {"type": {"container": True}, "container": {self._container: True}, "event": {"die": True}}
        query = {"filters": dumps(filters), "since": str(self._since_s), "until": f"{time.time():.6f}"}
        for line in self._engine.stream("GET", "/events", query).lines():
            event = loads(line)
            actor = event.get("Actor") if isinstance(event, dict) else None
            attributes = actor.get("Attributes") if isinstance(actor, dict) else None
            if isinstance(attributes, dict) and "exitCode" in attributes:
                return int(attributes["exitCode"])
        return None


def _exit_code(raw: bytes) -> int:
    result = loads(raw)
    if not isinstance(result, dict):
        raise CliError("error waiting for container: unexpected answer", EXIT_ENGINE)
    failure = result.get("Error")
    if isinstance(failure, dict) and failure.get("Message"):
        raise CliError(f"error waiting for container: {failure['Message']}", EXIT_ENGINE)
    return int(result.get("StatusCode", 0))
