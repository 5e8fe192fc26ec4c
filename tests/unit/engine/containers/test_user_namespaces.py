"""Containers of an engine with `--userns-remap`."""

from __future__ import annotations

import dataclasses
import os
import socket
from typing import Any

import pytest
from tests.support.fake_engine import FakeWorld

from windlass.base.errors import InvalidParameter
from windlass.engine.containers.start import start
from windlass.engine.containers.user_namespaces import user_namespace
from windlass.engine.errors import NotRunning
from windlass.runtime.runtimes import Runtime, Runtimes
from windlass.runtime.task import NetNs
from windlass.spec.container import HostConfig
from windlass.spec.id_mappings import IdMappings, stacked
from windlass.spec.plan import IdRange, OverlayRoot, UserNs

_MAPPINGS = IdMappings(stacked([(100000, 65536)]), stacked([(200000, 65536)]))


class _Namespaces:
    """Makes descriptors that stand for namespaces, and remembers for whom."""

    def __init__(self) -> None:
        self.made: list[NetNs] = []
        self.asked: list[tuple[IdMappings | None, int]] = []

    async def new_netns(self, mappings: IdMappings | None = None, userns_fd: int = -1) -> NetNs:
        self.asked.append((mappings, userns_fd))
        owner = os.open("/dev/null", os.O_RDONLY) if mappings or userns_fd >= 0 else -1
        self.made.append(NetNs(os.open("/dev/null", os.O_RDONLY), socket.socket(), owner))
        return self.made[-1]


@pytest.fixture
def namespaces(world: FakeWorld) -> _Namespaces:
    """Remapping is on in `world`."""
    made = _Namespaces()
    launcher: Any = world.launcher
    launcher.new_netns = made.new_netns
    world.engine.id_mappings = _MAPPINGS
    return made


def _is_closed(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return True
    return False


async def test_a_start_has_the_namespace_and_mapped_layers(world: FakeWorld, namespaces: _Namespaces) -> None:
    await world.make("web", host=HostConfig(network_mode="none"))
    await start(world.engine, "web")
    ops = world.task.plan.launch.ops
    assert [op for op in ops if isinstance(op, UserNs)] == [
        UserNs([IdRange(0, 100000, 65536)], [IdRange(0, 200000, 65536)], fd=0)
    ]
    assert [op.idmap for op in ops if isinstance(op, OverlayRoot)] == [True]
    assert namespaces.asked == [(_MAPPINGS, -1)]
    # The container's own are its process's now; the network that it has no use for is gone.
    assert all(_is_closed(fd) for made in namespaces.made for fd in (made.netns_fd, made.userns_fd))
    assert namespaces.made[0].route_socket.fileno() == -1


async def test_who_opts_out_has_neither(world: FakeWorld, namespaces: _Namespaces) -> None:
    await world.make("web", host=HostConfig(network_mode="none", userns_mode="host", privileged=True))
    await start(world.engine, "web")
    ops = world.task.plan.launch.ops
    assert not [op for op in ops if isinstance(op, UserNs)] and not namespaces.asked
    assert [op.idmap for op in ops if isinstance(op, OverlayRoot)] == [False]


@pytest.mark.parametrize(
    ("host", "text"),
    [
        (HostConfig(network_mode="none", privileged=True), "privileged mode is incompatible with user namespaces."),
        (HostConfig(network_mode="host"), "cannot share the host's network namespace when user namespaces are enabled"),
        (
            HostConfig(network_mode="none", runtime="crun"),
            "the runtime crun cannot make containers with remapped",
        ),
    ],
)
async def test_refused_before_anything_is_made(
    world: FakeWorld, namespaces: _Namespaces, host: HostConfig, text: str
) -> None:
    runtimes = Runtimes({"crun": Runtime("/usr/bin/crun")})
    world.engine.settings = dataclasses.replace(world.engine.settings, runtimes=runtimes)
    with pytest.raises(InvalidParameter, match=text):
        await world.make("web", host=host)
    assert os.listdir(world.engine.paths.containers) == []


async def test_made_before_remapping_refused_when_started(world: FakeWorld, namespaces: _Namespaces) -> None:
    world.engine.id_mappings = None
    await world.make("web", host=HostConfig(network_mode="none", privileged=True))
    world.engine.id_mappings = _MAPPINGS
    with pytest.raises(InvalidParameter, match="privileged mode is incompatible"):
        await start(world.engine, "web")
    assert world.engine.containers.get("web").state.status == "created"


async def test_joining_needs_a_running_container(world: FakeWorld, namespaces: _Namespaces) -> None:
    await world.make("donor", host=HostConfig(network_mode="none"))
    joining = await world.make("web", host=HostConfig(network_mode="container:donor"))
    intent = world.engine.containers.get(joining).intent
    with pytest.raises(NotRunning):
        user_namespace(world.engine, intent)
