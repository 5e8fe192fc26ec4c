"""The audit log and the metrics."""

from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path

import pytest
from tests.support.fake_engine import open_world

from windlass.api.observing import Answered
from windlass.base.errors import InvalidParameter
from windlass.daemon import audit
from windlass.daemon.audit import AuditLog
from windlass.daemon.metrics import Metrics

_PEER: dict[str, object] = {"uid": 1, "gid": 2, "pid": 3}


def _answered(path: str = "/info", status: int = 200, method: str = "GET", duration_s: float = 0.02) -> Answered:
    return Answered(method, path, status, duration_s, _PEER)


def test_a_line_for_each_request(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path), 1 << 20, 3)
    log.observe(_answered())
    log.observe(_answered('/containers/"x\n{}/start', 404, "POST", 1.5))
    log.close()
    first, second = map(json.loads, path.read_text().splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {"peer": _PEER, "method": "GET", "path": "/info", "status": 200, "duration_ms": 20.0}
    assert (second["path"], second["status"], second["duration_ms"]) == ('/containers/"x\n{}/start', 404, 1500.0)
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_is_appended_to_and_rotated(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text("{}\n")
    for number in range(6):
        # Each time there is more than one byte, and so a new file.
        log = AuditLog(str(path), 1, 3)
        log.observe(_answered(f"/{number}"))
        log.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["audit.log", "audit.log.1", "audit.log.2"]
    assert [json.loads(file.read_text())["path"] for file in files] == ["/5", "/4", "/3"]


def test_a_disk_that_does_not_take_it_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "audit.log"
    stuck = threading.Event()
    began = threading.Event()
    write = os.write

    def slow(fd: int, data: bytes) -> int:
        began.set()
        stuck.wait(10)
        monkeypatch.setattr(audit.os, "write", write)
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(audit, "_QUEUE_LIMIT", 10)
    log = AuditLog(str(path), 1 << 20, 3)
    monkeypatch.setattr(audit.os, "write", slow)
    log.observe(_answered("/first"))
    assert began.wait(10)
    for number in range(50):
        log.observe(_answered(f"/{number}"))
    stuck.set()
    log.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["path"] for line in lines[:-1]] == [f"/{number}" for number in range(10)]
    # Forty for which there was no room, and the one that the full disk refused.
    assert lines[-1]["lost"] == 41


def test_a_file_that_cannot_be_had_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="no such file or directory"):
        AuditLog(str(tmp_path / "none" / "audit.log"), 1, 1)
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(InvalidParameter, match="cannot open the audit log"):
        AuditLog(str(tmp_path / "link"), 1, 1)


async def test_metrics_have_dockerd_s_names(tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.observe(_answered("/v1.47/containers/create", 201, "POST", 0.004))
    metrics.observe(_answered("/containers/x/start", 204, "POST", 0.3))
    metrics.observe(_answered("/containers/x/start", 404, "POST", 0.3))
    metrics.observe(_answered("/containers/x/start", 204, "POST", 60.0))
    async with open_world(tmp_path) as world:
        world.engine.events.emit("daemon", "reload", "x", {})
        lines = metrics.text(world.engine, 7).splitlines()
    name = "engine_daemon_container_actions_seconds"
    for line in (
        f'{name}_bucket{{action="create",le="0.005"}} 1',
        f'{name}_bucket{{action="start",le="0.25"}} 0',
        f'{name}_bucket{{action="start",le="0.5"}} 1',
        f'{name}_bucket{{action="start",le="10"}} 1',
        f'{name}_bucket{{action="start",le="+Inf"}} 2',
        f'{name}_sum{{action="start"}} 60.3',
        f'{name}_count{{action="start"}} 2',
        f'{name}_count{{action="delete"}} 0',
        'engine_daemon_container_states_containers{state="running"} 0',
        "engine_daemon_events_total 1",
        "engine_daemon_events_subscribers_total 0",
        'windlass_api_requests_total{status="2xx"} 3',
        'windlass_api_requests_total{status="4xx"} 1',
        "windlass_api_connections 7",
        f"# TYPE {name} histogram",
    ):
        assert line in lines
    # Every sample belongs to a family that was announced, once.
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
    samples = [line for line in lines if not line.startswith("#")]
    assert all(any(sample.startswith(family) for family in families) for sample in samples)
