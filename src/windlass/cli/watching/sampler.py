"""Asks the engine, once a second and in a thread of its own, what its containers use."""

from __future__ import annotations

import threading
import time

from windlass.cli.watching.figures import Sample, Usage
from windlass.client.engine import Engine
from windlass.client.errors import ApiError, ClientError
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL_S = 1.0


class Sampler:
    """The newest figures of every running container; `changed` is called when there are new ones.

    An engine that goes away leaves `failure` and is asked again until it is back.
    """

    def __init__(self, engine: Engine, changed: Callable[[], None]) -> None:
        self._engine = engine
        self._changed = changed
        self._usages: dict[str, Usage] = {}
        self._stop = threading.Event()
        self.usages: list[Usage] = []
        self.total = 0
        self.failure = ""

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.sample()
                self.failure = ""
            except (ClientError, OSError) as error:
                self.failure = str(error)
            self._changed()
            self._stop.wait(INTERVAL_S)

    def sample(self) -> None:
        """Read the list, and the counters of each that runs; raises ClientError."""
        answer = self._engine.call("GET", "/containers/json", {"all": "1"})
        found = [item for item in answer if isinstance(item, dict)] if isinstance(answer, list) else []
        usages: dict[str, Usage] = {}
        for item in found:
            if item.get("State") not in ("running", "paused"):
                continue
            identifier = str(item["Id"])
            names = item.get("Names") or [identifier[:12]]
            usage = self._usages.get(identifier)
            if usage is None:
                usage = Usage(identifier, "", str(item.get("Image") or ""), "")
            usage.name, usage.status = str(names[0]).removeprefix("/"), str(item.get("Status") or "")
            if self._read(usage):
                usages[identifier] = usage
        self._usages, self.total, self.usages = usages, len(found), list(usages.values())

    def _read(self, usage: Usage) -> bool:
        """Read one container's counters; returns False when it has ended meanwhile."""
        query = {"stream": "0", "one-shot": "1"}
        try:
            stats = self._engine.call("GET", f"/containers/{quote(usage.identifier)}/stats", query)
        except ApiError:
            return False
        if isinstance(stats, dict):
            usage.take(Sample(stats, time.monotonic()))
        return True
