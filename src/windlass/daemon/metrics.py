"""Prometheus metrics of the daemon, at `http://METRICS-ADDR/metrics`.

Names are dockerd's where they mean the same; `windlass_...` are ours.

Source: dockerd's metrics; Prometheus, "Text-based format" 0.0.4.
"""

from __future__ import annotations

import os
import platform
import re
import resource
from bisect import bisect_left
from collections.abc import Iterable, Mapping

from aiohttp import web

from windlass.api.call import Call
from windlass.api.observing import Answered
from windlass.api.router import Route
from windlass.api.server import ApiServer
from windlass.api.versions import split_version
from windlass.base.errors import WindlassError
from windlass.engine import host_info
from windlass.engine.containers.inspect import STORAGE_DRIVER
from windlass.engine.engine import Engine

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Scrapers are few.
_CONNECTIONS = 32
# Source: the client library's default buckets.
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ACTIONS = (
    ("changes", "GET", re.compile(r"/containers/[^/]+/changes")),
    ("commit", "POST", re.compile(r"/commit")),
    ("create", "POST", re.compile(r"/containers/create")),
    ("delete", "DELETE", re.compile(r"/containers/[^/]+")),
    ("start", "POST", re.compile(r"/containers/[^/]+/start")),
)
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class _Histogram:
    def __init__(self) -> None:
        self.counts = [0] * (len(_BUCKETS_S) + 1)
        self.sum_s = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(_BUCKETS_S, seconds)] += 1
        self.sum_s += seconds

    def samples(self, name: str, labels: Mapping[str, str]) -> Iterable[str]:
        total = 0
        for bound, count in zip((*(f"{bound:g}" for bound in _BUCKETS_S), "+Inf"), self.counts, strict=True):
            total += count
            yield _sample(f"{name}_bucket", {**labels, "le": bound}, total)
        yield _sample(f"{name}_sum", labels, self.sum_s)
        yield _sample(f"{name}_count", labels, total)


class Metrics:
    """Counts requests, and writes what there is to know of an engine."""

    def __init__(self) -> None:
        self._actions = {name: _Histogram() for name, _, _ in _ACTIONS}
        self._requests: dict[str, int] = {}

    def observe(self, answered: Answered) -> None:
        """Count a request."""
        status = f"{answered.status // 100}xx"
        self._requests[status] = self._requests.get(status, 0) + 1
        if answered.status >= 400:
            return
        try:
            _, path = split_version(answered.path)
        except WindlassError:
            return
        for name, method, pattern in _ACTIONS:
            if method == answered.method and pattern.fullmatch(path):
                self._actions[name].observe(answered.duration_s)

    def text(self, engine: Engine, connections: int) -> str:
        """Return everything in the text format."""
        lines: list[str] = []
        for name, kind, help_text, samples in self._families(engine, connections):
            lines += (f"# HELP {name} {help_text}", f"# TYPE {name} {kind}", *samples)
        return "\n".join(lines) + "\n"

    def _families(self, engine: Engine, connections: int) -> Iterable[tuple[str, str, str, Iterable[str]]]:
        yield from _engine_families(engine)
        name = "engine_daemon_container_actions_seconds"
        actions = (line for action, found in self._actions.items() for line in found.samples(name, {"action": action}))
        yield name, "histogram", "The number of seconds it takes to process each container action", actions
        name = "windlass_api_requests_total"
        requests = [_sample(name, {"status": status}, count) for status, count in sorted(self._requests.items())]
        yield name, "counter", "The number of requests that were answered", requests
        yield _single("windlass_api_connections", "gauge", "The number of clients that are connected", connections)
        yield from _process_families()


def _engine_families(engine: Engine) -> Iterable[tuple[str, str, str, Iterable[str]]]:
    statuses = [container.state.status for container in engine.containers]
    counts = {"paused": statuses.count("paused"), "running": statuses.count("running")}
    counts["stopped"] = len(statuses) - sum(counts.values())
    name = "engine_daemon_container_states_containers"
    states = [_sample(name, {"state": state}, count) for state, count in counts.items()]
    yield name, "gauge", "The count of containers in various states", states
    yield _single("engine_daemon_engine_cpus_cpus", "gauge", "The number of cpus of the host", engine.facts.cpu_count)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield _single("engine_daemon_engine_memory_bytes", "gauge", "The number of bytes of memory of the host", memory)
    name = "engine_daemon_engine_info"
    labels = {
        "architecture": platform.machine(),
        "commit": "",
        "daemon_id": host_info.machine_id(),
        "graphdriver": STORAGE_DRIVER,
        "kernel": platform.release(),
        "os": host_info.operating_system(),
        "os_type": "linux",
        "os_version": "",
        "version": engine.settings.version,
    }
    yield name, "gauge", "The information related to the engine and the OS it is running on", [_sample(name, labels, 1)]
    yield _single("engine_daemon_events_total", "counter", "The number of events logged", engine.events.count)
    name = "engine_daemon_events_subscribers_total"
    yield _single(name, "gauge", "The number of current subscribers to events", engine.events.listeners)


def _process_families() -> Iterable[tuple[str, str, str, Iterable[str]]]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = [int(word) for word in file.read().split()]
    page = os.sysconf("SC_PAGE_SIZE")
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    seconds = usage.ru_utime + usage.ru_stime
    yield _single("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.", seconds)
    yield _single("process_open_fds", "gauge", "Number of open file descriptors.", len(os.listdir("/proc/self/fd")))
    yield _single("process_max_fds", "gauge", "Maximum number of open file descriptors.", files)
    yield _single("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.", pages[0] * page)
    yield _single("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", pages[1] * page)


def _single(name: str, kind: str, text: str, value: float) -> tuple[str, str, str, Iterable[str]]:
    return name, kind, text, [_sample(name, {}, value)]


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    words = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels.items())
    return f"{name}{{{words}}} {value}" if words else f"{name} {value}"


def metrics_server(metrics: Metrics, engine: Engine, api: ApiServer) -> ApiServer:
    """Return a server of `GET /metrics` and nothing else, bounded as the API's is."""

    async def show(call: Call) -> web.StreamResponse:
        text = metrics.text(call.engine, len(api.bounds))
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    return ApiServer(engine, [Route("GET", "/metrics", show)], connections=_CONNECTIONS)
