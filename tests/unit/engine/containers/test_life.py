"""The state machine of a container: what each verb does in each state, and what is told to whom."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest
from tests.support.fake_engine import FakeWorld

from windlass.base.errors import Conflict, InvalidParameter, NotFound, NotModified, NotSupported
from windlass.engine.containers.attach import attach
from windlass.engine.containers.create import CreateRequest, create
from windlass.engine.containers.kill import kill
from windlass.engine.containers.pause import pause, unpause
from windlass.engine.containers.remove import remove
from windlass.engine.containers.rename import rename
from windlass.engine.containers.restart import restart
from windlass.engine.containers.start import start
from windlass.engine.containers.stop import stop
from windlass.engine.containers.wait import wait
from windlass.engine.errors import NotRunning
from windlass.runtime.task import Attachment, StartFailed
from windlass.spec.container import (
    ContainerConfig,
    HostConfig,
    MountRequest,
    NetworkingConfig,
    RestartPolicy,
    VolumeOptions,
)
from windlass.store.containers import NameInUse


async def test_a_life_from_create_to_destroy(world: FakeWorld) -> None:
    engine = world.engine
    container_id = await world.make("web")
    assert engine.containers.get("web").state.status == "created"
    await start(engine, "web")
    state = engine.containers.get("/web").state
    assert (state.status, state.pid) == ("running", world.task.pid)
    waiting = wait(engine, container_id[:12], "not-running")
    world.task.end(7)
    assert (await waiting).exit_code == 7
    state = engine.containers.get(container_id).state
    assert (state.status, state.exit_code, state.pid) == ("exited", 7, 0)
    await remove(engine, "web")
    with pytest.raises(NotFound, match="No such container: web"):
        engine.containers.get("web")
    await world.settled()
    assert world.events == ["create", "start", "die", "destroy"]
    assert os.listdir(engine.paths.containers) == os.listdir(engine.paths.trash) == []


async def test_rm_removes_itself_and_the_wait_for_removal_gets_the_exit_code(world: FakeWorld) -> None:
    await world.make("once", host=HostConfig(auto_remove=True))
    removed = wait(world.engine, "once", "removed")
    next_exit = wait(world.engine, "once", "next-exit")
    await start(world.engine, "once")
    assert not removed.done()
    world.task.end(3)
    assert (await removed).exit_code == (await next_exit).exit_code == 3
    assert len(world.engine.containers) == 0


async def test_a_failed_start_leaves_the_reason_and_nothing_else(world: FakeWorld) -> None:
    container_id = await world.make("bad", cmd=["nope"])
    with pytest.raises(StartFailed, match="executable file not found") as caught:
        await start(world.engine, "bad")
    assert caught.value.exit_code == 127
    state = world.engine.containers.get("bad").state
    assert (state.status, state.exit_code) == ("created", 127)
    assert "executable file not found" in state.error
    assert world.cgroups.groups[f"windlass/{container_id}"].calls == ["remove"]
    assert world.events == ["create"]


async def test_a_fault_of_ours_ends_the_wait_too(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client waits from before the start on: without an end it would hang."""

    def faulty(*_arguments: object) -> None:
        raise KeyError("no such thing")

    monkeypatch.setattr("windlass.engine.containers.start.prepare", faulty)
    made = await world.make("broken")
    waiter = wait(world.engine, made, "next-exit")
    with pytest.raises(KeyError):
        await start(world.engine, made)
    assert (await asyncio.wait_for(waiter, 5)).exit_code == 128
    assert world.engine.containers.get(made).state.error == "KeyError: 'no such thing'"


async def test_a_failed_start_of_an_rm_container_removes_it(world: FakeWorld) -> None:
    await world.make("bad", cmd=["nope"], host=HostConfig(auto_remove=True))
    removed = wait(world.engine, "bad", "removed")
    with pytest.raises(StartFailed):
        await start(world.engine, "bad")
    assert (await removed).exit_code == 127


async def test_start_again_is_not_modified(world: FakeWorld) -> None:
    await world.make("one")
    await start(world.engine, "one")
    with pytest.raises(NotModified):
        await start(world.engine, "one")
    assert len(world.launcher.tasks) == 1


async def test_two_starts_at_once_make_one_process(world: FakeWorld) -> None:
    await world.make("one")
    outcomes = await asyncio.gather(*(start(world.engine, "one") for _ in range(2)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "NotModified"]
    assert len(world.launcher.tasks) == 1


async def test_a_process_that_ends_at_once_is_told_in_order(world: FakeWorld) -> None:
    await world.make("quick")
    world.launcher.before_launch.clear()
    starting = asyncio.ensure_future(start(world.engine, "quick"))
    await asyncio.sleep(0)
    world.launcher.before_launch.set()
    while not world.launcher.tasks:
        await asyncio.sleep(0)
    world.task.end(0)
    await starting
    await wait(world.engine, "quick")
    assert world.events == ["create", "start", "die"]


async def test_stop_asks_then_kills(world: FakeWorld) -> None:
    await world.make("deaf", stop_signal="SIGUSR1")
    await start(world.engine, "deaf")
    await stop(world.engine, "deaf", timeout_s=0)
    assert world.task.signals == [10, 9]
    assert world.engine.containers.get("deaf").state.exit_code == 137
    with pytest.raises(NotModified):
        await stop(world.engine, "deaf")


async def test_stop_takes_the_signal_that_the_process_obeys(world: FakeWorld) -> None:
    await world.make("polite")
    await start(world.engine, "polite")
    await stop(world.engine, "polite", timeout_s=10)
    assert world.task.signals == [15]
    assert "stop" in world.events


async def test_kill_needs_a_process_and_a_signal(world: FakeWorld) -> None:
    container_id = await world.make("still")
    with pytest.raises(Conflict, match=f"cannot kill container: still: container {container_id} is not running"):
        await kill(world.engine, "still")
    await start(world.engine, "still")
    with pytest.raises(InvalidParameter, match="invalid signal: NONSENSE"):
        await kill(world.engine, "still", "NONSENSE")
    await kill(world.engine, "still", "SIGHUP")
    assert world.task.signals == [1]


async def test_pause_and_unpause(world: FakeWorld) -> None:
    container_id = await world.make("ice")
    with pytest.raises(NotRunning):
        await pause(world.engine, "ice")
    await start(world.engine, "ice")
    await pause(world.engine, "ice")
    assert world.engine.containers.get("ice").state.status == "paused"
    with pytest.raises(Conflict, match="already paused"):
        await pause(world.engine, "ice")
    with pytest.raises(Conflict, match="cannot start a paused container"):
        await start(world.engine, "ice")
    with pytest.raises(Conflict, match="container is paused and must be unpaused first"):
        await remove(world.engine, "ice")
    await unpause(world.engine, "ice")
    assert world.cgroups.groups[f"windlass/{container_id}"].calls == ["freeze", "thaw"]
    with pytest.raises(Conflict, match="is not paused"):
        await unpause(world.engine, "ice")


async def test_rm_of_a_running_container_needs_force(world: FakeWorld) -> None:
    await world.make("busy")
    await start(world.engine, "busy")
    text = 'cannot remove container "/busy": container is running: stop the container before removing or force remove'
    with pytest.raises(Conflict, match=text):
        await remove(world.engine, "busy")
    await remove(world.engine, "busy", force=True)
    assert world.task.signals == [9]
    assert len(world.engine.containers) == 0


async def test_rm_force_of_a_paused_container_thaws_it(world: FakeWorld) -> None:
    container_id = await world.make("ice")
    await start(world.engine, "ice")
    await pause(world.engine, "ice")
    await remove(world.engine, "ice", force=True)
    assert "thaw" in world.cgroups.groups[f"windlass/{container_id}"].calls


async def test_two_removals_at_once(world: FakeWorld) -> None:
    await world.make("x1")
    outcomes = await asyncio.gather(remove(world.engine, "x1"), remove(world.engine, "x1"), return_exceptions=True)
    assert outcomes[0] is None
    assert isinstance(outcomes[1], Conflict) and "already in progress" in outcomes[1].message


async def test_names_are_unique_checked_and_freed(world: FakeWorld) -> None:
    first = await world.make("name")
    with pytest.raises(NameInUse, match=f'The container name "/name" is already in use by container "{first}"'):
        await world.make("name")
    with pytest.raises(InvalidParameter, match=r"Invalid container name \(-x\), only"):
        await world.make("-x")
    await rename(world.engine, "name", "other")
    await world.make("name")
    with pytest.raises(NameInUse):
        await rename(world.engine, "other", "name")
    await remove(world.engine, "other")
    await world.make("other")


async def test_a_failed_creation_frees_its_name_and_leaves_no_files(world: FakeWorld) -> None:
    request = CreateRequest(ContainerConfig(image="nope"), HostConfig(), NetworkingConfig(), "mine")
    with pytest.raises(NotFound, match="No such image: nope:latest"):
        await create(world.engine, request)
    with pytest.raises(InvalidParameter):
        await world.make("mine", host=HostConfig(memory=1))
    assert os.listdir(world.engine.paths.containers) == []
    await world.make("mine")


async def test_restart_starts_again_and_keeps_an_rm_container(world: FakeWorld) -> None:
    await world.make("twice", host=HostConfig(auto_remove=True))
    await start(world.engine, "twice")
    await restart(world.engine, "twice", timeout_s=0)
    assert len(world.launcher.tasks) == 2
    assert world.engine.containers.get("twice").state.status == "running"
    world.task.end(0)
    await world.settled()
    assert len(world.engine.containers) == 0


async def test_a_policy_starts_again_until_it_is_enough(world: FakeWorld) -> None:
    await world.make("again", host=HostConfig(restart_policy=RestartPolicy("on-failure", 1)))
    await start(world.engine, "again")
    ended = wait(world.engine, "again")
    world.task.end(1)
    await ended
    container = world.engine.containers.get("again")
    assert container.state.status == "restarting"
    while container.state.status == "restarting":
        await asyncio.sleep(0.01)
    assert len(world.launcher.tasks) == 2
    ended = wait(world.engine, "again")
    world.task.end(1)
    await ended
    assert (container.state.status, container.state.restart_count) == ("exited", 1)


async def test_stop_ends_a_container_that_waits_for_its_restart(world: FakeWorld) -> None:
    await world.make("loop", host=HostConfig(restart_policy=RestartPolicy("always")))
    await start(world.engine, "loop")
    ended = wait(world.engine, "loop")
    world.task.end(1)
    await ended
    await stop(world.engine, "loop")
    container = world.engine.containers.get("loop")
    assert (container.state.status, container.restart_timer) == ("exited", None)


async def test_a_stopped_container_is_not_restarted(world: FakeWorld) -> None:
    await world.make("loop", host=HostConfig(restart_policy=RestartPolicy("always")))
    await start(world.engine, "loop")
    await stop(world.engine, "loop")
    assert world.engine.containers.get("loop").state.status == "exited"


async def test_clients_that_attached_before_the_start_are_handed_over(world: FakeWorld) -> None:
    await world.make("io")
    container = world.engine.containers.get("io")
    ours, theirs = socket.socketpair()
    await attach(world.engine, container, Attachment(os.dup(theirs.fileno()), leftover=b"early"))
    theirs.close()
    await start(world.engine, "io")
    assert [client.leftover for client in world.launcher.clients[-1]] == [b"early"]
    # The supervisor has its copy; ours is closed, so with a fake one the client sees the end.
    assert ours.recv(1) == b""
    ours.close()


async def test_removal_ends_the_streams_of_clients_that_wait(world: FakeWorld) -> None:
    await world.make("io")
    ours, theirs = socket.socketpair()
    await attach(world.engine, world.engine.containers.get("io"), Attachment(os.dup(theirs.fileno())))
    theirs.close()
    await remove(world.engine, "io")
    assert ours.recv(1) == b""
    ours.close()


async def test_the_oom_killer_is_announced_before_the_death(world: FakeWorld) -> None:
    await world.make("fat")
    await start(world.engine, "fat")
    ended = wait(world.engine, "fat")
    world.task.callbacks.on_oom()
    world.task.end(137, oom=True)
    await ended
    assert world.events == ["create", "start", "oom", "die"]
    assert world.engine.containers.get("fat").state.oom_killed


async def test_a_container_that_survives_the_oom_killer_says_so(world: FakeWorld) -> None:
    await world.make("fat")
    await start(world.engine, "fat")
    for _ in range(2):
        world.task.callbacks.on_oom()
    await world.settled()
    state = world.engine.containers.get("fat").state
    assert (state.status, state.oom_killed) == ("running", True)
    world.task.end(0, oom=True)
    await world.settled()
    # Each one is told, and the record at the end tells of none that was not.
    assert world.events == ["create", "start", "oom", "oom", "die"]
    world.task.callbacks.on_oom()
    await world.settled()
    assert world.events[-1] == "die"


async def test_a_lost_supervisor_is_an_end(world: FakeWorld) -> None:
    await world.make("lost")
    await start(world.engine, "lost")
    ended = wait(world.engine, "lost")
    world.task.callbacks.on_lost()
    assert (await ended).exit_code == 137


async def test_wait_refuses_conditions_that_do_not_exist(world: FakeWorld) -> None:
    await world.make("x1")
    with pytest.raises(InvalidParameter, match='invalid condition: "soon"'):
        wait(world.engine, "x1", "soon")


async def test_prefixes_of_ids(world: FakeWorld) -> None:
    container_id = await world.make("x1")
    assert world.engine.containers.get(container_id[:4]).id == container_id
    with pytest.raises(NotFound):
        world.engine.containers.get("")


async def test_a_signal_that_does_not_end_leaves_the_policy_alone(world: FakeWorld) -> None:
    await world.make("loop", host=HostConfig(restart_policy=RestartPolicy("always")))
    await start(world.engine, "loop")
    await kill(world.engine, "loop", "SIGHUP")
    ended = wait(world.engine, "loop")
    world.task.end(1)
    await ended
    assert world.engine.containers.get("loop").state.status == "restarting"


async def test_a_failed_creation_takes_its_anonymous_volumes_along(world: FakeWorld) -> None:
    missing = MountRequest(target="/b", source="shared", type="volume", volume_options=VolumeOptions(subpath="no/such"))
    host = HostConfig(
        mounts=[MountRequest(target="/a", type="volume"), missing, MountRequest(target="/x", type="image", source="i")]
    )
    with pytest.raises(NotSupported):
        await world.make("c1", host=host)
    assert [volume.name for volume in world.engine.volumes] == ["shared"]


async def test_rm_takes_anonymous_volumes_only_when_asked(world: FakeWorld) -> None:
    mounts = [MountRequest(target="/a", type="volume"), MountRequest(target="/b", source="named", type="volume")]
    for name in ("keeps", "drops"):
        await world.make(name, host=HostConfig(mounts=mounts))
    assert len(list(world.engine.volumes)) == 3
    await remove(world.engine, "keeps")
    await remove(world.engine, "drops", volumes=True)
    await world.settled()
    assert sorted(volume.is_anonymous for volume in world.engine.volumes) == [False, True]


async def test_volumes_are_announced_with_the_container_that_uses_them(world: FakeWorld) -> None:
    container_id = await world.make(host=HostConfig(binds=["data:/d:ro"]))
    await start(world.engine, container_id)
    await stop(world.engine, container_id)
    await world.settled()
    found = [o.event for o in world.engine.events._ring if o.event.type == "volume"]
    assert [event.action for event in found] == ["create", "mount", "unmount"]
    assert found[1].actor.attributes == {
        "container": container_id,
        "destination": "/d",
        "driver": "local",
        "propagation": "",
        "read/write": "false",
    }
    assert found[2].actor.attributes == {"container": container_id, "driver": "local"}
