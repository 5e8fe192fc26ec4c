"""Single calls of the Engine API, without a client around them: what the engine itself takes."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Mapping
from typing import Any

from bench.cases.case import Case
from bench.contestant import Contestant
from bench.materials import BUSYBOX, Materials
from bench.peers.peer import DockerDriven
from bench.process import CommandError
from bench.result import Metric

_TIMEOUT_S = 60.0


class StartCall(Case):
    """`POST /containers/ID/start` of a container without a network: from the request to the exec of its program."""

    contestants = ("windlass", "dockerd")

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric.key, metric)

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Create a container, measure its start, remove it."""
        api = _Api(contestant)
        made = api.call("POST", "/containers/create", _sleeper("none"))
        try:
            return {self.metrics[0].key: api.timed("POST", f"/containers/{made['Id']}/start")}
        finally:
            api.call("DELETE", f"/containers/{made['Id']}?force=1")


class ExecCall(Case):
    """`POST /exec/ID/start`, detached: from the request to the exec of the program."""

    contestants = ("windlass", "dockerd")

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric.key, metric)

    def prepare(self, contestant: Contestant, materials: Materials) -> None:
        """Start a container for each contestant, under the same name."""
        api = _Api(contestant)
        made = api.call("POST", "/containers/create?name=wlbench-exec-call", _sleeper("none"))
        api.call("POST", f"/containers/{made['Id']}/start")

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Create an exec and measure its start."""
        api = _Api(contestant)
        made = api.call("POST", "/containers/wlbench-exec-call/exec", {"Cmd": ["true"]})
        return {self.metrics[0].key: api.timed("POST", f"/exec/{made['Id']}/start", {"Detach": True})}

    def restore(self, contestant: Contestant) -> None:
        """Remove the container."""
        _Api(contestant).call("DELETE", "/containers/wlbench-exec-call?force=1")


def _sleeper(network: str) -> dict[str, Any]:
    return {"Image": BUSYBOX, "Cmd": ["sleep", "3600"], "HostConfig": {"NetworkMode": network}}


class _Api:
    """One connection to an engine."""

    def __init__(self, contestant: Contestant) -> None:
        assert isinstance(contestant, DockerDriven), "a case of engines with a socket"
        self._connection = http.client.HTTPConnection("localhost", timeout=_TIMEOUT_S)
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(contestant.socket))
        self._connection.sock = sock

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Return what the engine answers, decoded. Raises `CommandError` when that is an error."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        self._connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = self._connection.getresponse()
        data = response.read()
        if response.status >= 400:
            raise CommandError([method, path], f"{method} {path}: {response.status}", data.decode(errors="replace"))
        return json.loads(data) if data else None

    def timed(self, method: str, path: str, body: object = None) -> float:
        """Return how many seconds a call takes."""
        started = time.perf_counter()
        self.call(method, path, body)
        return time.perf_counter() - started
