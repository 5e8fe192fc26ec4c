"""Health checks, by the stock client."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.daemon import PrivateDaemon

pytestmark = pytest.mark.root

_FAST = ("--health-interval", "50ms", "--health-retries", "1")


def _health(engine: PrivateDaemon, name: str) -> dict[str, Any]:
    return dict(json.loads(engine.docker("inspect", "-f", "{{json .State.Health}}", name).stdout))


def _wait_for(engine: PrivateDaemon, name: str, status: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while (health := _health(engine, name))["Status"] != status:
        assert time.monotonic() < deadline, health
        time.sleep(0.02)
    return health


def test_a_container_is_healthy_while_its_check_says_so(engine: PrivateDaemon) -> None:
    check = "echo found; test -e /tmp/well"
    engine.docker("run", "-d", "--name", "hc", *_FAST, "--health-cmd", check, "busybox", "sleep", "1000")
    try:
        [result, *_] = _wait_for(engine, "hc", "unhealthy")["Log"]
        assert (result["ExitCode"], result["Output"]) == (1, "found\n")
        engine.docker("exec", "hc", "touch", "/tmp/well")
        _wait_for(engine, "hc", "healthy")
        assert engine.docker("ps", "--filter", "health=healthy", "--format", "{{.Names}} {{.Status}}").stdout.endswith(
            "(healthy)\n"
        )
        actions = engine.docker(
            "events",
            "--since",
            "1h",
            "--until",
            str(int(time.time()) + 1),
            "-f",
            "event=health_status",
            "--format",
            "{{.Action}}",
        )
        assert actions.stdout.split("\n")[:2] == ["health_status: unhealthy", "health_status: healthy"]
    finally:
        engine.docker("rm", "-f", "hc")


def test_a_check_that_takes_too_long_is_killed(engine: PrivateDaemon) -> None:
    flags = (*_FAST, "--health-timeout", "100ms", "--health-cmd", "echo begun; exec sleep 777")
    engine.docker("run", "-d", "--name", "slow-hc", *flags, "busybox", "sleep", "1000")
    try:
        [result, *_] = _wait_for(engine, "slow-hc", "unhealthy")["Log"]
        assert (result["ExitCode"], result["Output"]) == (-1, "Health check exceeded timeout (100ms): begun\n")
        running = engine.docker("exec", "slow-hc", "ps").stdout
        assert running.count("sleep 777") <= 1
    finally:
        engine.docker("rm", "-f", "slow-hc")


def test_the_image_s_check_is_taken_and_can_be_refused(engine: PrivateDaemon, image_tar: Path) -> None:
    engine.docker("import", "-c", "HEALTHCHECK --interval=50ms CMD true", str(image_tar), "checked")
    engine.docker("run", "-d", "--name", "from-image", "checked", "sleep", "1000")
    engine.docker("run", "-d", "--name", "without", "--no-healthcheck", "checked", "sleep", "1000")
    try:
        _wait_for(engine, "from-image", "healthy")
        assert engine.docker("inspect", "-f", "{{.State.Health}}", "without").stdout.strip() in ("<nil>", "<no value>")
    finally:
        engine.docker("rm", "-f", "from-image", "without")
        engine.docker("rmi", "checked")


def test_an_unhealthy_container_is_restarted_by_its_label(engine: PrivateDaemon) -> None:
    flags = (*_FAST, "--label", "windlass.health.on-failure=restart", "--health-cmd", "test ! -e /tmp/ill", "-t")
    engine.docker("run", "-d", "--name", "healed", *flags, "busybox", "sh", "-c", "rm -f /tmp/ill; exec sleep 1000")
    try:
        _wait_for(engine, "healed", "healthy")
        engine.docker("exec", "healed", "touch", "/tmp/ill")
        deadline = time.monotonic() + 20
        while engine.docker("inspect", "-f", "{{.RestartCount}}", "healed").stdout.strip() != "1":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        _wait_for(engine, "healed", "healthy")
    finally:
        engine.docker("rm", "-f", "healed")


def test_checks_go_on_with_the_next_daemon(own_engine: PrivateDaemon) -> None:
    flags = (*_FAST, "--health-cmd", "test ! -e /tmp/ill")
    own_engine.docker("run", "-d", "--name", "kept", *flags, "busybox", "sleep", "1000")
    _wait_for(own_engine, "kept", "healthy")
    own_engine.kill()
    own_engine.start()
    assert _health(own_engine, "kept")["Status"] == "healthy"
    own_engine.docker("exec", "kept", "touch", "/tmp/ill")
    _wait_for(own_engine, "kept", "unhealthy")
