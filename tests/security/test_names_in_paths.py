"""Every name and id that a client sends and that could become part of a path is one clean component, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.fake_engine import open_world

from windlass.base.errors import InvalidParameter, NotFound
from windlass.engine.containers.rename import rename
from windlass.engine.volumes import Volumes
from windlass.spec.container import HostConfig, MountRequest

_HOSTILE = ("../../etc", "a/../../b", "/etc", ".", "..", "a\0b", "a\nb", "%2e%2e", "-rf", "a/b")


@pytest.mark.parametrize("name", _HOSTILE)
async def test_container_names(tmp_path: Path, name: str) -> None:
    async with open_world(tmp_path) as world:
        with pytest.raises(InvalidParameter, match="Invalid container name"):
            await world.make(name if not name.startswith("/") else f"/{name}")
        await world.make("good")
        with pytest.raises(InvalidParameter):
            await rename(world.engine, "good", f"{name}/")


@pytest.mark.parametrize("name", _HOSTILE)
async def test_volume_names(tmp_path: Path, name: str) -> None:
    async with open_world(tmp_path) as world:
        volumes: Volumes = world.engine.volumes
        with pytest.raises(InvalidParameter):
            await volumes.create(name)
        with pytest.raises(NotFound):
            await volumes.remove(name)
        mount = MountRequest(target="/x", source=name, type="volume")
        with pytest.raises(InvalidParameter):
            await world.make("c1", host=HostConfig(mounts=[mount]))
        assert [path.name for path in (tmp_path / "data" / "volumes").iterdir()] == []


@pytest.mark.parametrize("reference", _HOSTILE)
async def test_references_are_looked_up_and_never_opened(tmp_path: Path, reference: str) -> None:
    async with open_world(tmp_path) as world:
        with pytest.raises(NotFound):
            world.engine.containers.get(reference)
        with pytest.raises(NotFound):
            world.engine.execs.get(reference)
        with pytest.raises(NotFound):
            world.engine.networks.get(reference)
