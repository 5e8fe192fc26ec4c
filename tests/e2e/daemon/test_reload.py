"""SIGHUP, seen by the stock client."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.daemon import PrivateDaemon


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateDaemon]:
    """An engine whose configuration changes."""
    daemon = PrivateDaemon(tmp_path_factory.mktemp("reload"), number=8)
    daemon.start()
    try:
        yield daemon
    finally:
        (daemon.directory / "daemon.json").write_text("{}")
        daemon.destroy()


def _reload(engine: PrivateDaemon, content: object) -> dict[str, str]:
    """Have the engine read `content` and return the attributes of its event."""
    assert engine.process is not None
    (engine.directory / "daemon.json").write_text(json.dumps(content))
    since = time.time()
    engine.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        lines = engine.docker(
            "events", "--since", f"{since:.6f}", "--until", f"{time.time():.6f}", "--format", "{{json .}}"
        ).stdout.splitlines()
        for event in map(json.loads, lines):
            if (event["Type"], event["Action"]) == ("daemon", "reload"):
                attributes: dict[str, str] = event["Actor"]["Attributes"]
                return attributes
        time.sleep(0.05)
    raise AssertionError(f"no event\n{engine.log[-2000:]}")


def _info(engine: PrivateDaemon) -> dict[str, Any]:
    info: dict[str, Any] = json.loads(engine.docker("info", "--format", "{{json .}}").stdout)
    return info


def test_what_may_change_changes_and_the_rest_waits(changing: PrivateDaemon) -> None:
    engine = changing
    before = _info(engine)
    content = {
        "labels": ["zone=b"],
        "debug": True,
        "registry-mirrors": ["https://mirror.example"],
        "insecure-registries": ["r.example:5000", "10.9.0.0/16"],
        "default-shm-size": "32m",
        "shutdown-timeout": 7,
        "max-concurrent-downloads": 2,
        "runtimes": {"other": {"path": "/bin/other"}},
        "default-runtime": "other",
        # These wait for the next start.
        "mtu": 1234,
        "icc": False,
    }
    attributes = _reload(engine, content)
    after = _info(engine)
    assert attributes == {
        "debug": "true",
        "default-ipc-mode": "private",
        "default-runtime": "other",
        "default-shm-size": "33554432",
        "insecure-registries": '["r.example:5000", "10.9.0.0/16"]',
        "labels": '["zone=b"]',
        "live-restore": "true",
        "max-concurrent-downloads": "2",
        "max-concurrent-uploads": "5",
        "max-download-attempts": "5",
        "name": os.uname().nodename,
        "registry-mirrors": '["https://mirror.example"]',
        "runtimes": "other:/bin/other",
        "shutdown-timeout": "7",
    }
    assert (after["Labels"], after["Debug"], after["DefaultRuntime"]) == (["zone=b"], True, "other")
    assert after["DockerRootDir"] == before["DockerRootDir"]
    assert after["RegistryConfig"]["Mirrors"] == ["https://mirror.example"]
    assert after["RegistryConfig"]["IndexConfigs"]["r.example:5000"] == {
        "Name": "r.example:5000",
        "Mirrors": [],
        "Secure": False,
        "Official": False,
    }
    assert "10.9.0.0/16" in after["RegistryConfig"]["InsecureRegistryCIDRs"]
    assert "level=debug" in engine.log


def test_a_file_that_is_wrong_changes_nothing(changing: PrivateDaemon) -> None:
    engine = changing
    assert engine.process is not None
    _reload(engine, {"labels": ["a=1"]})
    for content in ('{"labels": ["b=2"], "nope": 1}', '{"labels": ["b=2"], "registry-mirrors": ["ftp://x"]}', "{"):
        (engine.directory / "daemon.json").write_text(content)
        seen = engine.log.count("configuration not reloaded")
        engine.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while engine.log.count("configuration not reloaded") == seen and time.monotonic() < deadline:
            time.sleep(0.05)
        assert engine.log.count("configuration not reloaded") == seen + 1
        assert _info(engine)["Labels"] == ["a=1"]
