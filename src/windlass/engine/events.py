"""What happened, to whoever asks: a bounded memory of the past, and subscribers to what comes.

    containers, images, networks, volumes ──emit──> ring of the last EVENTS_KEPT
                                              └───> one bounded queue for each subscriber

An event is encoded once, however many listen. A subscriber that does not read is dropped, not waited for.

Source: Engine API, SystemEvents and EventMessage.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from windlass.base.clock import now_ns
from windlass.engine.filters import Filters

EVENTS_KEPT = 256
_QUEUE_LIMIT = 4096
_NS = 1_000_000_000
_encode = msgspec.json.Encoder().encode

FILTERS = (
    "config",
    "container",
    "daemon",
    "event",
    "image",
    "label",
    "network",
    "node",
    "plugin",
    "scope",
    "secret",
    "service",
    "type",
    "volume",
)


class Actor(msgspec.Struct, frozen=True):
    """Who an event happened to."""

    id: str = msgspec.field(name="ID")
    attributes: dict[str, str] = msgspec.field(name="Attributes")


class Event(msgspec.Struct, frozen=True):
    """One event as the API shows it; `status`, `id` and `from` are the old form that some clients still read."""

    type: str = msgspec.field(name="Type")
    action: str = msgspec.field(name="Action")
    actor: Actor = msgspec.field(name="Actor")
    time_ns: int = msgspec.field(name="timeNano")
    time: int
    scope: str = "local"
    status: str | msgspec.UnsetType = msgspec.UNSET
    id: str | msgspec.UnsetType = msgspec.UNSET
    source: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="from")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event with its JSON."""

    event: Event
    line: bytes


class Events:
    """The ring and the subscribers."""

    def __init__(self) -> None:
        self._ring: deque[Occurrence] = deque(maxlen=EVENTS_KEPT)
        self._queues: set[asyncio.Queue[Occurrence | None]] = set()
        self._last_ns = 0
        self.count = 0

    @property
    def listeners(self) -> int:
        """How many subscribers there are."""
        return len(self._queues)

    def emit(self, kind: str, action: str, actor_id: str, attributes: Mapping[str, str]) -> None:
        """Record an event and tell the subscribers. `kind` is `container`, `image`, `network` or `volume`."""
        # Two events never have one time: `since` and `until` could not tell them apart.
        self._last_ns = time_ns = max(now_ns(), self._last_ns + 1)
        old_form = kind in ("container", "image")
        event = Event(
            type=kind,
            action=action,
            actor=Actor(actor_id, dict(attributes)),
            time=time_ns // _NS,
            time_ns=time_ns,
            status=action if old_form else msgspec.UNSET,
            id=actor_id if old_form else msgspec.UNSET,
            source=attributes.get("image", "") if kind == "container" else msgspec.UNSET,
        )
        occurrence = Occurrence(event, _encode(event) + b"\n")
        self._ring.append(occurrence)
        self.count += 1
        for queue in tuple(self._queues):
            if queue.qsize() >= _QUEUE_LIMIT:
                self._queues.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(occurrence)

    def follow(self, since_ns: int | None, until_ns: int | None, filters: Filters) -> AsyncGenerator[bytes, None]:
        """Return the JSON of matching events: those remembered since `since_ns`, then new ones until `until_ns`.

        Ends at `until_ns`, at once when that is past; without it, only when the subscriber falls too far behind.

        Raises:
            InvalidFilter: unknown filter.
        """
        filters.accept(FILTERS)
        return self._follow(since_ns, until_ns, filters)

    async def _follow(
        self, since_ns: int | None, until_ns: int | None, filters: Filters
    ) -> AsyncGenerator[bytes, None]:
        queue: asyncio.Queue[Occurrence | None] = asyncio.Queue()
        past = [o for o in self._ring if since_ns is not None and o.event.time_ns >= since_ns]
        self._queues.add(queue)
        try:
            for occurrence in past:
                if (until_ns is None or occurrence.event.time_ns <= until_ns) and matches(occurrence.event, filters):
                    yield occurrence.line
            async with aclosing(_until(queue, until_ns)) as coming:
                async for occurrence in coming:
                    if matches(occurrence.event, filters):
                        yield occurrence.line
        finally:
            self._queues.discard(queue)


async def _until(queue: asyncio.Queue[Occurrence | None], until_ns: int | None) -> AsyncGenerator[Occurrence, None]:
    while True:
        try:
            timeout_s = None if until_ns is None else max(0.0, (until_ns - now_ns()) / _NS)
            occurrence = await asyncio.wait_for(queue.get(), timeout_s)
        except TimeoutError:
            return
        if occurrence is None or (until_ns is not None and occurrence.event.time_ns > until_ns):
            return
        yield occurrence


def matches(event: Event, filters: Filters) -> bool:
    """Tell whether the filters let the event through."""
    if not filters:
        return True
    action = event.action
    # `exec_create: sh -c ...` is asked for as `exec_create`.
    return (
        filters.exact("event", action, action.partition(":")[0])
        and filters.exact("type", event.type)
        and filters.exact("scope", event.scope)
        and filters.exact("daemon", event.actor.id, event.actor.attributes.get("name", ""))
        and _about(event, "container", filters)
        and _about(event, "volume", filters)
        and _about(event, "network", filters)
        and _image(event, filters)
        and filters.labels(event.actor.attributes)
    )


def _about(event: Event, kind: str, filters: Filters) -> bool:
    """A filter by object lets only events of that object through: by id, beginning of the id, or name."""
    wanted = filters.get(kind)
    if not wanted:
        return True
    actor = event.actor
    if event.type != kind:
        # A network's event tells which container it was about.
        return actor.attributes.get(kind, "") in wanted
    name = actor.attributes.get("name", "")
    return any(name == value or actor.id.startswith(value) for value in wanted)


def _image(event: Event, filters: Filters) -> bool:
    wanted = filters.get("image")
    if not wanted:
        return True
    if event.type not in ("image", "container"):
        return False
    attributes = event.actor.attributes
    if event.type == "image":
        candidates = [event.actor.id, attributes.get("name", "")]
    else:
        candidates = [attributes.get("image", "")]
    candidates += [candidate.partition(":")[0] for candidate in candidates]
    return any(candidate in wanted for candidate in candidates)
