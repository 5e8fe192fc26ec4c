"""The ring and its subscribers."""

from __future__ import annotations

import asyncio
import json

import pytest

from windlass.engine import events as module
from windlass.engine.errors import InvalidFilter
from windlass.engine.events import EVENTS_KEPT, Events, matches
from windlass.engine.filters import NO_FILTERS, Filters


async def _all(events: Events, **filters: str) -> list[dict[str, object]]:
    chosen = Filters({name: (value,) for name, value in filters.items()})
    return [json.loads(line) async for line in events.follow(0, module.now_ns(), chosen)]


async def test_the_past_is_bounded() -> None:
    events = Events()
    for number in range(EVENTS_KEPT + 10):
        events.emit("container", "start", str(number), {})
    past = await _all(events)
    assert len(past) == EVENTS_KEPT
    assert past[0]["id"] == "10"


async def test_no_two_events_have_one_time() -> None:
    events = Events()
    for _ in range(100):
        events.emit("volume", "create", "v", {})
    times = [event["timeNano"] for event in await _all(events)]
    assert len(set(times)) == 100 and times == sorted(times)  # type: ignore[type-var]


async def test_old_members_only_where_they_were() -> None:
    events = Events()
    events.emit("network", "create", "n", {"name": "x"})
    events.emit("container", "create", "c", {"image": "box"})
    network, container = await _all(events)
    assert "status" not in network and "from" not in network
    assert (container["status"], container["id"], container["from"]) == ("create", "c", "box")


async def test_what_comes_reaches_every_subscriber() -> None:
    events = Events()

    async def first() -> bytes:
        async for line in events.follow(None, None, NO_FILTERS):
            return line
        raise AssertionError

    waiting = [asyncio.ensure_future(first()) for _ in range(3)]
    while events.listeners < 3:
        await asyncio.sleep(0)
    events.emit("image", "pull", "i", {})
    assert len(set(await asyncio.gather(*waiting))) == 1


async def test_a_subscriber_that_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUEUE_LIMIT", 3)
    events = Events()
    stream = events.follow(None, None, NO_FILTERS)
    waiting = asyncio.ensure_future(anext(stream))
    while not events.listeners:
        await asyncio.sleep(0)
    for number in range(10):
        events.emit("image", "pull", str(number), {})
    assert events.listeners == 0
    received = [json.loads(await waiting)] + [json.loads(line) async for line in stream]
    assert len(received) == 3


def test_unknown_filters_are_refused_at_once() -> None:
    with pytest.raises(InvalidFilter):
        Events().follow(None, None, Filters({"colour": ("red",)}))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"event": "exec_create"}, True),
        ({"event": "start"}, False),
        ({"type": "container"}, True),
        ({"type": "image"}, False),
        ({"container": "web"}, True),
        ({"container": "c0ffee"}, True),
        ({"container": "eb"}, False),
        ({"image": "box"}, True),
        ({"image": "box:1"}, True),
        ({"label": "k=v"}, True),
        ({"label": "k=w"}, False),
        ({"volume": "web"}, False),
        ({"scope": "local"}, True),
        ({"scope": "swarm"}, False),
    ],
)
def test_filters(filters: dict[str, str], expected: bool) -> None:
    events = Events()
    attributes = {"name": "web", "image": "box:1", "k": "v"}
    events.emit("container", "exec_create: sh -c x", "c0ffee11", attributes)
    event = events._ring[-1].event
    assert matches(event, Filters({name: (value,) for name, value in filters.items()})) is expected
