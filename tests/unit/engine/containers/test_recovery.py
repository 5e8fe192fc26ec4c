"""What the next daemon makes of what it finds."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from tests.support.fake_engine import FakeLauncher, open_world

from windlass.engine.containers.start import start
from windlass.engine.containers.stop import stop
from windlass.engine.containers.wait import wait
from windlass.spec.container import HostConfig, RestartPolicy
from windlass.spec.task import ExitRecord


async def _run_one(directory: Path, launcher: FakeLauncher, host: HostConfig | None = None) -> str:
    async with open_world(directory, launcher=launcher) as world:
        container_id = await world.make("c1", host=host)
        await start(world.engine, "c1")
    return container_id


def _record(directory: Path, container_id: str, exit_code: int) -> None:
    path = directory / "run" / "containers" / container_id
    path.mkdir(parents=True, exist_ok=True)
    record = ExitRecord(container_id, exit_code, started_at_ns=1, finished_at_ns=2)
    (path / "exit.json").write_bytes(msgspec.json.encode(record))


async def test_a_living_container_is_taken_back(tmp_path: Path) -> None:
    launcher = FakeLauncher()
    container_id = await _run_one(tmp_path, launcher)
    launcher.living[container_id] = launcher.tasks[-1]
    async with open_world(tmp_path, launcher=launcher) as world:
        state = world.engine.containers.get("c1").state
        assert (state.status, state.pid) == ("running", launcher.tasks[-1].pid)
        ended = wait(world.engine, "c1")
        launcher.tasks[-1].end(5)
        assert (await ended).exit_code == 5


async def test_an_end_without_a_daemon_is_read_from_the_record(tmp_path: Path) -> None:
    launcher = FakeLauncher()
    container_id = await _run_one(tmp_path, launcher)
    _record(tmp_path, container_id, 42)
    async with open_world(tmp_path, launcher=launcher) as world:
        state = world.engine.containers.get("c1").state
        assert (state.status, state.exit_code, state.pid) == ("exited", 42, 0)
        assert "remove" in world.cgroups.groups[f"windlass/{container_id}"].calls


async def test_an_end_that_nobody_recorded_counts_as_killed(tmp_path: Path) -> None:
    launcher = FakeLauncher()
    await _run_one(tmp_path, launcher)
    async with open_world(tmp_path, launcher=launcher) as world:
        state = world.engine.containers.get("c1").state
        assert (state.status, state.exit_code) == ("exited", 137)


async def test_rm_containers_that_ended_are_removed(tmp_path: Path) -> None:
    launcher = FakeLauncher()
    container_id = await _run_one(tmp_path, launcher, HostConfig(auto_remove=True))
    _record(tmp_path, container_id, 0)
    async with open_world(tmp_path, launcher=launcher) as world:
        await world.settled()
        assert len(world.engine.containers) == 0
        assert os.listdir(world.engine.paths.containers) == []


async def test_policies_start_what_ended_meanwhile(tmp_path: Path) -> None:
    launcher = FakeLauncher()
    container_id = await _run_one(tmp_path, launcher, HostConfig(restart_policy=RestartPolicy("on-failure")))
    _record(tmp_path, container_id, 1)
    async with open_world(tmp_path, launcher=launcher) as world:
        await world.settled()
        assert world.engine.containers.get("c1").state.status == "running"


async def test_unless_stopped_stays_stopped_and_always_does_not(tmp_path: Path) -> None:
    launcher = FakeLauncher()
    async with open_world(tmp_path, launcher=launcher) as world:
        for policy in ("unless-stopped", "always"):
            await world.make(policy, host=HostConfig(restart_policy=RestartPolicy(policy)))
            await start(world.engine, policy)
            await stop(world.engine, policy)
    async with open_world(tmp_path, launcher=launcher) as world:
        await world.settled()
        assert world.engine.containers.get("unless-stopped").state.status == "exited"
        assert world.engine.containers.get("always").state.status == "running"


async def test_strays_and_trash_are_swept(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        os.makedirs(f"{world.engine.paths.containers}/{'0' * 64}/upper/x")
        os.makedirs(f"{world.engine.paths.trash}/{'1' * 64}/upper/x")
    async with open_world(tmp_path) as world:
        await world.settled()
        assert os.listdir(world.engine.paths.containers) == os.listdir(world.engine.paths.trash) == []
