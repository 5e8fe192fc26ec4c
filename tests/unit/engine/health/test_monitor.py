"""Probes of an engine whose host is a fake."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from tests.support.fake_engine import FakeTask, FakeWorld, open_world

from windlass.base.errors import InvalidParameter
from windlass.engine.containers.inspect import inspect
from windlass.engine.containers.list import ListRequest, list_containers
from windlass.engine.containers.start import start
from windlass.engine.containers.stop import stop
from windlass.engine.filters import parse_filters
from windlass.engine.health.on_failure import LABEL
from windlass.spec.container import HealthConfig, HostConfig

_MS = 1_000_000
pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def _keep_exec_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeTask, "keeps_exec_clients", True)


def _check(**members: int) -> HealthConfig:
    return HealthConfig(test=["CMD", "probe"], **{"interval": 5 * _MS, "timeout": 1000 * _MS, "retries": 1, **members})


async def _ends(world: FakeWorld, exit_code: int, output: bytes = b"", *, after: int = 0) -> None:
    """Let the probe after `after` earlier ones write something and end."""
    while len(world.task.execs) <= after:
        await asyncio.sleep(0.001)
    # The probe's stream is ours until it is closed; who reads it waits for its end and for the exit code.
    os.write(world.task.exec_clients[after], output)
    os.close(world.task.exec_clients[after])
    world.task.callbacks.on_exec_exit(world.task.execs[after].id, exit_code)


async def _health(world: FakeWorld, container_id: str, status: str) -> dict[str, object]:
    async with asyncio.timeout(5):
        while True:
            state = (await inspect(world.engine, container_id))["State"]
            assert isinstance(state, dict)
            if state["Health"]["Status"] == status:
                return dict(state["Health"])
            await asyncio.sleep(0.001)


async def test_a_probe_s_outcome_is_shown_and_announced(world: FakeWorld) -> None:
    container_id = await world.make("web", healthcheck=_check())
    await start(world.engine, container_id)
    assert (await _health(world, container_id, "starting"))["Log"] == []
    await _ends(world, 0, b"x" * 5000)
    health = await _health(world, container_id, "healthy")
    [result] = health["Log"]  # type: ignore[misc]
    assert (result["ExitCode"], result["Output"]) == (0, "x" * 4096 + "...")
    assert world.events[-4:] == ["exec_create: probe", "exec_start: probe", "exec_die", "health_status: healthy"]
    [shown] = await list_containers(world.engine, ListRequest(filters=parse_filters('{"health":["healthy"]}')))
    assert str(shown["Status"]).endswith(" (healthy)")
    await _ends(world, 3, after=1)
    assert (await _health(world, container_id, "unhealthy"))["FailingStreak"] == 1


async def test_a_container_without_a_check_has_no_health(world: FakeWorld) -> None:
    container_id = await world.make("plain", healthcheck=HealthConfig(test=["NONE"]))
    await start(world.engine, container_id)
    assert "Health" not in (await inspect(world.engine, container_id))["State"]  # type: ignore[operator]
    assert world.engine.containers.get("plain").monitor is None


async def test_a_probe_that_takes_too_long_is_killed(world: FakeWorld) -> None:
    container_id = await world.make("slow", healthcheck=_check(timeout=20 * _MS))
    await start(world.engine, container_id)
    while not world.task.signals:
        await asyncio.sleep(0.001)
    assert world.task.killed_execs == [world.task.execs[0].id]
    await _ends(world, 137)
    health = await _health(world, container_id, "unhealthy")
    [result] = health["Log"]  # type: ignore[misc]
    assert (result["ExitCode"], result["Output"]) == (-1, "Health check exceeded timeout (20ms)")


async def test_probes_end_with_the_container(world: FakeWorld) -> None:
    container_id = await world.make("ends", healthcheck=_check(interval=3_600_000 * _MS))
    await start(world.engine, container_id)
    await stop(world.engine, container_id)
    container = world.engine.containers.get("ends")
    assert container.monitor is None
    assert container.health is not None and container.health.status == "unhealthy"


async def test_an_unhealthy_container_is_started_again_when_its_label_says_so(world: FakeWorld) -> None:
    container_id = await world.make("heals", healthcheck=_check(), labels={LABEL: "restart"})
    await start(world.engine, container_id)
    await _ends(world, 1)
    async with asyncio.timeout(5):
        while len(world.launcher.tasks) < 2:
            await asyncio.sleep(0.005)
        while not (container := world.engine.containers.get("heals")).state.is_running:
            await asyncio.sleep(0.005)
    assert container.state.restart_count == 1
    assert container.health is not None and container.health.status == "starting"
    await stop(world.engine, container_id)
    await world.settled()
    assert container.state.status == "exited"


async def test_an_unhealthy_container_can_be_stopped(world: FakeWorld) -> None:
    host = HostConfig()
    host.restart_policy.name = "always"
    container_id = await world.make("stops", healthcheck=_check(), labels={LABEL: "stop"}, host=host)
    await start(world.engine, container_id)
    await _ends(world, 1)
    async with asyncio.timeout(5):
        while world.engine.containers.get("stops").state.status != "exited":
            await asyncio.sleep(0.005)
    assert 15 in world.task.signals


@pytest.mark.parametrize("text", ["reboot", ""])
async def test_unknown_actions_are_refused(world: FakeWorld, text: str) -> None:
    with pytest.raises(InvalidParameter, match=r"invalid label windlass\.health\.on-failure="):
        await world.make(labels={LABEL: text})


async def test_a_verdict_outlives_the_daemon(tmp_path: Path) -> None:
    async with open_world(tmp_path) as first:
        container_id = await first.make("lives", healthcheck=_check())
        await start(first.engine, container_id)
        await _ends(first, 0)
        await _health(first, container_id, "healthy")
        first.engine.containers.get("lives").stop_monitor()
        first.launcher.living[container_id] = first.task
        before = len(first.task.execs)
        # An adopted container's id mappings are read from its process.
        first.task.pid = os.getpid()
    async with open_world(tmp_path, launcher=first.launcher) as second:
        assert (await _health(second, container_id, "healthy"))["Status"] == "healthy"
        await _ends(second, 1, after=before)
        await _health(second, container_id, "unhealthy")
