"""Containers of another runtime: whom the engine asks."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import msgspec
import pytest
from tests.support.fake_engine import FakeLauncher, FakeWorld, open_world

from windlass.engine.containers.kill import kill
from windlass.engine.containers.pause import pause, unpause
from windlass.engine.containers.start import start
from windlass.engine.containers.update import update
from windlass.engine.containers.wait import wait
from windlass.engine.execs.create import create_exec
from windlass.engine.execs.start import start_exec
from windlass.engine.execs.table import ExecConfig
from windlass.runtime.runtimes import Runtime, Runtimes
from windlass.runtime.task import StartFailed
from windlass.spec.container import HostConfig


def _configure(world: FakeWorld, path: str = sys.executable) -> None:
    runtimes = Runtimes({"other": Runtime(path, ("--flag",))})
    world.engine.settings = dataclasses.replace(world.engine.settings, runtimes=runtimes)


async def test_the_plan_names_the_runtime_and_its_group_is_not_made(world: FakeWorld) -> None:
    _configure(world)
    container_id = await world.make("web", host=HostConfig(runtime="other"), user="bob")
    await start(world.engine, "web")
    foreign = world.task.plan.foreign
    assert foreign is not None and world.task.plan.launch.ops == []
    assert (foreign.runtime.name, foreign.runtime.path, foreign.runtime.args) == ("other", sys.executable, ["--flag"])
    assert foreign.runtime.state_root == f"{world.engine.paths.run_root}/runtimes/other"
    assert foreign.user.user == "bob"
    assert msgspec.json.decode(foreign.spec)["linux"]["cgroupsPath"] == f"/windlass/{container_id}"
    assert world.cgroups.groups[f"windlass/{container_id}"].calls == []


async def test_pause_update_and_exec_are_the_runtime_s(world: FakeWorld) -> None:
    _configure(world)
    await world.make("web", host=HostConfig(runtime="other"))
    await start(world.engine, "web")
    world.engine.facts = msgspec.structs.replace(
        world.engine.facts, controllers=frozenset({"memory"}), features=frozenset({"swap"})
    )
    await pause(world.engine, "web")
    await unpause(world.engine, "web")
    await update(world.engine, "web", HostConfig(memory=64 << 20, memory_swap=128 << 20))
    commands = [command for command, _ in world.task.managed]
    assert commands == ["pause", "resume", "update"]
    assert msgspec.json.decode(world.task.managed[2][1])["memory"]["limit"] == 64 << 20
    exec_id = create_exec(world.engine, "web", ExecConfig(cmd=["id"], user="7", env=["A=b"]))
    await start_exec(world.engine, world.engine.execs.get(exec_id), [])
    (plan,) = world.task.execs
    assert plan.foreign is not None and plan.foreign.user.user == "7"
    process = msgspec.json.decode(plan.foreign.process)
    assert process["args"] == ["id"] and "A=b" in process["env"]
    assert all(group.calls == [] for group in world.cgroups.groups.values())


async def test_failures_have_dockerd_s_words(world: FakeWorld) -> None:
    _configure(world)
    await world.make("bad", cmd=["nope"], host=HostConfig(runtime="other"))
    expected = (
        "failed to create task for container: failed to create shim task: OCI runtime create failed: "
        r'exec: "nope": executable file not found in \$PATH: unknown'
    )
    with pytest.raises(StartFailed, match=expected) as caught:
        await start(world.engine, "bad")
    assert caught.value.exit_code == 127
    await world.make("web", host=HostConfig(runtime="other"))
    await start(world.engine, "web")
    exec_id = create_exec(world.engine, "web", ExecConfig(cmd=["nope"]))
    with pytest.raises(StartFailed, match=r'^OCI runtime exec failed: exec: "nope": .* in \$PATH: unknown$'):
        await start_exec(world.engine, world.engine.execs.get(exec_id), [])


async def test_a_missing_program_is_found_at_the_start(world: FakeWorld) -> None:
    _configure(world, "/no/such/runtime")
    await world.make("web", host=HostConfig(runtime="other"))
    with pytest.raises(StartFailed, match='OCI runtime create failed: exec: "/no/such/runtime": stat: no such file'):
        await start(world.engine, "web")


async def test_what_a_dead_supervisor_left_is_deleted_by_the_runtime(tmp_path: Path) -> None:
    launcher = FakeLauncher()
    async with open_world(tmp_path, launcher=launcher) as world:
        _configure(world)
        await world.make("web", host=HostConfig(runtime="other"))
        await start(world.engine, "web")
        container = world.engine.containers.get("web")
        os.makedirs(container.paths.bundle)
        ended = wait(world.engine, "web")
        world.task.callbacks.on_lost()
        assert (await ended).exit_code == 137
        await world.settled()
        assert launcher.jobs == [("delete-foreign", {"bundle": container.paths.bundle})]
        await start(world.engine, "web")
    # The next daemon does not know the runtime any more, and finds nobody who answers.
    async with open_world(tmp_path, launcher=launcher) as world:
        assert len(launcher.jobs) == 2
        assert world.engine.containers.get("web").state.exit_code == 137


async def test_kill_goes_through_the_supervisor_and_waits(world: FakeWorld) -> None:
    _configure(world)
    await world.make("web", host=HostConfig(runtime="other"))
    await start(world.engine, "web")
    await kill(world.engine, "web")
    assert world.task.signals == [9]
    assert world.engine.containers.get("web").state.exit_code == 137
