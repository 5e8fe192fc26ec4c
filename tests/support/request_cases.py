"""Command lines of all verbs, and the requests the stock command line makes of them, recorded in tests/golden/cli."""

from __future__ import annotations

import json
import shlex
from typing import Any
from urllib.parse import parse_qsl

from tests.support.create_cases import GOLDEN, normal
from tests.support.engine_recorder import CONTAINER_ID, Recorded

RECORD = GOLDEN / "requests.json"
# Asked before the real request by one command line and not by the other.
_PREPARATIONS = {
    "HEAD /_ping",
    "GET /_ping",
    "GET /containers/c/json",
    "GET /networks/n",
    f"POST /containers/{CONTAINER_ID}/wait",
}

_DETAILS = {
    "Id": CONTAINER_ID,
    "Name": "/c",
    "State": {"Running": True, "Status": "running"},
    "Config": {"Tty": False, "OpenStdin": False, "Image": "img"},
    "HostConfig": {"AutoRemove": False},
    "NetworkSettings": {"Ports": {}},
}
_PRUNED: dict[str, Any] = {"SpaceReclaimed": 0}
_DISK: dict[str, Any] = {"LayersSize": 0, "Images": [], "Containers": [], "Volumes": [], "BuildCache": []}

ANSWERS: dict[str, tuple[int, Any]] = {
    "GET /containers/json": (200, []),
    "GET /containers/c/json": (200, _DETAILS),
    "GET /containers/c/top": (200, {"Titles": ["PID"], "Processes": [["1"]]}),
    "GET /containers/c/changes": (200, []),
    "POST /containers/c/wait": (200, {"StatusCode": 0}),
    "POST /containers/c/exec": (201, {"Id": "e" * 64}),
    "POST /containers/c/update": (200, {"Warnings": []}),
    "GET /images/json": (200, []),
    "GET /images/i/history": (200, []),
    "GET /networks": (200, []),
    "GET /volumes": (200, {"Volumes": [], "Warnings": []}),
    "POST /networks/create": (201, {"Id": "n" * 64, "Warning": ""}),
    "POST /volumes/create": (201, {"Name": "v", "Driver": "local", "Mountpoint": "", "Scope": "local"}),
    "POST /commit": (201, {"Id": "sha256:" + "1" * 64}),
    "POST /containers/prune": (200, _PRUNED),
    "POST /images/prune": (200, _PRUNED),
    "POST /volumes/prune": (200, _PRUNED),
    "POST /networks/prune": (200, {}),
    "GET /system/df": (200, _DISK),
    "DELETE /images/i": (200, []),
    "DELETE /images/j": (200, []),
    "GET /version": (200, {"Version": "1", "ApiVersion": "1.50", "MinAPIVersion": "1.24"}),
}


def cases() -> list[str]:
    """The command lines, one each."""
    return (GOLDEN / "request_cases.txt").read_text().splitlines()


def words(case: str) -> list[str]:
    """The words of a command line."""
    return shlex.split(case)


def recorded() -> dict[str, Any]:
    """What the stock command line sent for every case."""
    parsed: dict[str, Any] = json.loads(RECORD.read_text())
    return parsed


def compared(requests: list[Recorded]) -> list[dict[str, Any]]:
    """Return requests in the form that is compared: preparations left out, queries parsed, zero values dropped."""
    kept = [request for request in requests if f"{request.method} {request.path}" not in _PREPARATIONS]
    return [_one(request) for request in kept or requests[-1:]]


def _one(request: Recorded) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for name, value in parse_qsl(request.target.partition("?")[2]):
        value = json.loads(value) if value.startswith("{") else {"true": "1", "false": "0"}.get(value, value)
        pairs[name] = [*pairs.get(name, []), value]
    # `logs` goes by id in one command line and by name in the other.
    path = request.path.replace(f"{CONTAINER_ID}/logs", "c/logs")
    form: dict[str, Any] = {"call": f"{request.method} {path}"}
    if pairs:
        form["query"] = pairs
    if isinstance(request.body, dict) and (body := normal(request.body)):
        form["body"] = body
    return form
