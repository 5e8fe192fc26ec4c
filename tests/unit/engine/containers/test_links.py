"""`--link`: what it puts into the environment and /etc/hosts, and the order that follows from it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.support.fake_engine import FakeWorld

from windlass.base.errors import InvalidParameter, NotFound, System
from windlass.engine.containers.inspect import inspect
from windlass.engine.containers.links import in_start_order, remove_link, split_link
from windlass.engine.containers.model import EndpointState
from windlass.engine.containers.rename import rename
from windlass.engine.containers.start import start
from windlass.spec.container import HostConfig
from windlass.spec.plan import Exec

pytestmark = pytest.mark.asyncio


async def _database(world: FakeWorld) -> None:
    """A running container `db` on the default bridge."""
    container_id = await world.make("db", exposed_ports={"5432/tcp": {}}, env=["USER=me", "PATH=/x"])
    await start(world.engine, container_id)
    container = world.engine.containers.get("db")
    endpoint = EndpointState("e", "n", "bridge", "10.0.0.2", 24, "10.0.0.1", "02:00:00:00:00:02", "v")
    await world.engine.containers.set_state(container, msgspec.structs.replace(container.state, endpoints=[endpoint]))


async def test_a_link_tells_ports_and_variables(world: FakeWorld) -> None:
    await _database(world)
    web = await world.make("web", host=HostConfig(links=["db:my-db"]))
    await start(world.engine, web)
    environment = next(op.env for op in world.task.plan.launch.ops if isinstance(op, Exec))
    assert set(environment) >= {
        "MY_DB_NAME=/web/my-db",
        "MY_DB_PORT=tcp://10.0.0.2:5432",
        "MY_DB_PORT_5432_TCP=tcp://10.0.0.2:5432",
        "MY_DB_PORT_5432_TCP_ADDR=10.0.0.2",
        "MY_DB_PORT_5432_TCP_PORT=5432",
        "MY_DB_PORT_5432_TCP_PROTO=tcp",
        "MY_DB_ENV_USER=me",
    }
    assert not any(entry.startswith("MY_DB_ENV_PATH") for entry in environment)
    hosts = Path(world.engine.containers.get("web").paths.hosts).read_text()
    names = {line.split()[1] for line in hosts.splitlines() if line.startswith("10.0.0.2")}
    assert names == {"my-db", "db", world.engine.containers.get("db").id[:12]}


async def test_links_follow_a_rename_and_are_shown_as_dockerd_does(world: FakeWorld) -> None:
    await _database(world)
    web = await world.make("web", host=HostConfig(links=["/db:/old/alias"]))
    await rename(world.engine, "db", "data")
    shown = (await inspect(world.engine, web))["HostConfig"]
    assert shown["Links"] == ["/data:/web/alias"]  # type: ignore[index]


async def test_the_other_end_must_run(world: FakeWorld) -> None:
    await world.make("db")
    web = await world.make("web", host=HostConfig(links=["db"]))
    with pytest.raises(System, match="Cannot link to a non running container: /db AS /web/db"):
        await start(world.engine, web)


@pytest.mark.parametrize(
    ("link", "text"),
    [
        ("nobody", "could not get container for nobody: No such container: nobody"),
        ("", "empty string specified for links"),
        ("db:x:y", "bad format for links: db:x:y"),
    ],
)
async def test_links_that_cannot_be_are_refused(world: FakeWorld, link: str, text: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        await world.make("web", host=HostConfig(links=[link]))
    assert caught.value.message == text


async def test_links_can_be_removed(world: FakeWorld) -> None:
    await world.make("db")
    web = await world.make("web", host=HostConfig(links=["db:one", "db:two"]))
    await remove_link(world.engine, "/web/one")
    assert (await inspect(world.engine, web))["HostConfig"]["Links"] == ["/db:/web/two"]  # type: ignore[index]
    with pytest.raises(NotFound, match="Cannot get parent /web for link /web/one"):
        await remove_link(world.engine, "web/one")
    with pytest.raises(InvalidParameter):
        await remove_link(world.engine, "web")


async def test_containers_start_behind_those_that_they_need(world: FakeWorld) -> None:
    for name in ("db", "cache", "web", "side"):
        await world.make(name)
    table = world.engine.containers
    ids = {name: table.get(name).id for name in ("db", "cache", "web", "side")}

    async def needs(name: str, **members: object) -> None:
        container = table.get(name)
        host = msgspec.structs.replace(container.intent.host_config, **members)
        await table.set_intent(container, msgspec.structs.replace(container.intent, host_config=host))

    await needs("db", links=[f"{ids['web']}:w"])
    await needs("web", network_mode=f"container:{ids['side']}")
    await needs("cache", volumes_from=["web:ro"])
    assert [c.name for c in in_start_order(world.engine, table)] == ["side", "web", "db", "cache"]
    # A ring has some order.
    await needs("side", links=[f"{ids['db']}:d"])
    assert len(in_start_order(world.engine, table)) == 4


async def test_forms_of_links() -> None:
    assert [split_link(text) for text in ("a", "a:b", "/a:/c/b")] == [("a", "a"), ("a", "b"), ("a", "b")]
