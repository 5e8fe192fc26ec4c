"""`ps`: filters, limits, and the encoded form."""

from __future__ import annotations

import time

import msgspec
import pytest
from tests.support.fake_engine import DIGEST, FakeWorld

from windlass.engine.containers.list import ListRequest, list_containers, list_encoded
from windlass.engine.containers.rename import rename
from windlass.engine.containers.start import start
from windlass.engine.containers.stop import stop
from windlass.engine.errors import InvalidFilter, NoSuchContainer
from windlass.engine.filters import Filters
from windlass.spec.container import HostConfig

pytestmark = pytest.mark.asyncio


async def _names(world: FakeWorld, everything: bool = True, limit: int = 0, **filters: str) -> list[str]:
    wanted = Filters({name.replace("_", "-"): (value,) for name, value in filters.items()})
    found = await list_containers(world.engine, ListRequest(all=everything, limit=limit, filters=wanted))
    return [shown["Names"][0].removeprefix("/") for shown in found]  # type: ignore[index]


async def _three(world: FakeWorld) -> None:
    """The oldest runs, the second has ended, the newest was never started."""
    first = await world.make("one", labels={"tier": "web"}, exposed_ports={"80/tcp": {}})
    second = await world.make("two", labels={"tier": "db"}, host=HostConfig(binds=["data:/data"]))
    await world.make("three", exposed_ports={"9000-9002/udp": {}})
    await start(world.engine, first)
    await start(world.engine, second)
    await stop(world.engine, second)
    await world.settled()


async def test_what_runs_or_everything_the_newest_first(world: FakeWorld) -> None:
    await _three(world)
    assert await _names(world, everything=False) == ["one"]
    assert await _names(world) == ["three", "two", "one"]
    assert await _names(world, everything=False, limit=2) == ["three", "two"]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("status", "exited", ["two"]),
        ("exited", "143", ["two"]),
        ("exited", "0", []),
        ("label", "tier", ["two", "one"]),
        ("label", "tier=web", ["one"]),
        ("name", "^t", ["three", "two"]),
        ("name", "o", ["two", "one"]),
        ("before", "two", ["one"]),
        ("since", "one", ["three", "two"]),
        ("expose", "80", ["one"]),
        ("expose", "9001/udp", ["three"]),
        ("expose", "9001/tcp", []),
        ("expose", "79-81/tcp", ["one"]),
        ("publish", "80", []),
        ("volume", "data", ["two"]),
        ("volume", "/data", ["two"]),
        ("network", "none", ["three", "two", "one"]),
        ("network", "elsewhere", []),
        ("ancestor", "box", ["three", "two", "one"]),
        ("ancestor", DIGEST, ["three", "two", "one"]),
        ("ancestor", "missing", []),
        ("health", "none", ["three", "two", "one"]),
        ("health", "healthy", []),
        ("is_task", "false", ["three", "two", "one"]),
        ("is_task", "true", []),
        ("isolation", "default", ["three", "two", "one"]),
        ("isolation", "hyperv", []),
    ],
)
async def test_filters(world: FakeWorld, name: str, value: str, found: list[str]) -> None:
    await _three(world)
    assert await _names(world, **{name: value}) == found


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", "odd"), ("health", "well"), ("exited", "x"), ("expose", "http"), ("publish", "1-x"), ("colour", "red")],
)
async def test_what_is_no_filter_is_refused(world: FakeWorld, name: str, value: str) -> None:
    with pytest.raises(InvalidFilter):
        await _names(world, **{name: value})


async def test_moments_are_those_of_containers(world: FakeWorld) -> None:
    with pytest.raises(NoSuchContainer):
        await _names(world, before="nobody")


async def test_the_encoded_list_is_the_list_and_follows_every_change(world: FakeWorld) -> None:
    await _three(world)

    async def both() -> list[dict[str, object]]:
        request = ListRequest(all=True)
        encoded = msgspec.json.decode(await list_encoded(world.engine, request))
        assert encoded == msgspec.to_builtins(await list_containers(world.engine, request))
        return list(encoded)

    assert [shown["State"] for shown in await both()] == ["created", "exited", "running"]
    kept = world.engine.containers.get("one").encoded
    await both()
    assert world.engine.containers.get("one").encoded is kept
    await stop(world.engine, "one")
    await rename(world.engine, "three", "renamed")
    assert [(shown["State"], shown["Names"]) for shown in await both()] == [
        ("created", ["/renamed"]),
        ("exited", ["/two"]),
        ("exited", ["/one"]),
    ]


async def test_a_container_that_is_stuck_is_not_waited_for(world: FakeWorld) -> None:
    await _three(world)
    async with world.engine.containers.get("one").lock:
        started = time.monotonic()
        assert len(msgspec.json.decode(await list_encoded(world.engine, ListRequest(all=True)))) == 3
        assert time.monotonic() - started < 1
