"""All containers, in memory and in the store.

Memory is the truth for readers; a change is in the store before it is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from windlass.engine.containers.container import Container
from windlass.engine.containers.model import Intent, State, decode_intent, decode_state, encode
from windlass.engine.errors import AmbiguousPrefix, NoSuchContainer
from windlass.engine.paths import Paths
from windlass.store.containers import ContainerRow, ContainerRows, NameInUse


class ContainerTable:
    """Containers by id, name and beginnings of ids."""

    def __init__(self, rows: ContainerRows, paths: Paths) -> None:
        self._rows = rows
        self._paths = paths
        self._by_id: dict[str, Container] = {}
        self._names: dict[str, str] = {}

    def __iter__(self) -> Iterator[Container]:
        return iter(tuple(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, reference: str) -> Container:
        """Return the container with this id, name (a leading slash is allowed) or unique beginning of an id.

        Raises:
            NoSuchContainer: there is none.
            AmbiguousPrefix: there are several.
        """
        container = self._by_id.get(reference) or self._by_id.get(self._names.get(reference.removeprefix("/"), ""))
        if container is not None:
            return container
        matches = [c for key, c in self._by_id.items() if reference and key.startswith(reference)]
        if len(matches) > 1:
            raise AmbiguousPrefix(reference)
        if not matches:
            raise NoSuchContainer(reference)
        return matches[0]

    def find(self, container_id: str) -> Container | None:
        """Return the container with this full id, if it is there."""
        return self._by_id.get(container_id)

    def using_volume(self, name: str) -> list[str]:
        """Return the ids of the containers that have a volume among their mounts."""
        return [
            container.id
            for container in self._by_id.values()
            if any(point.type == "volume" and point.name == name for point in container.intent.mounts)
        ]

    def is_name_taken(self, name: str) -> bool:
        """Tell whether a container has the name, or is about to."""
        return name in self._names

    @contextmanager
    def reserved_name(self, name: str, container_id: str) -> Iterator[None]:
        """Hold a name while a container is made under it, and let it go if that fails.

        Raises:
            NameInUse: another container has it.
        """
        holder = self._names.setdefault(name, container_id)
        if holder != container_id:
            raise NameInUse(name, holder)
        try:
            yield
        except BaseException:
            if container_id not in self._by_id:
                del self._names[name]
            raise

    async def load(self) -> list[Container]:
        """Take in what the store has, once, at start."""
        for row in await self._rows.all():
            intent = decode_intent(row.intent)
            self._insert(Container(intent, decode_state(row.state), self._paths.container(row.id)))
        return list(self)

    async def add(self, intent: Intent) -> Container:
        """Record a new container whose name is reserved."""
        container = Container(intent, State(), self._paths.container(intent.id))
        row = ContainerRow(intent.id, intent.name, intent.image_id, encode(intent), encode(container.state))
        await self._rows.add(row)
        self._insert(container)
        return container

    def _insert(self, container: Container) -> None:
        self._by_id[container.id] = container
        self._names[container.name] = container.id

    async def set_state(self, container: Container, state: State) -> None:
        """Record a container's new state, then show it."""
        await self._rows.set_state(container.id, encode(state))
        container.state = state

    async def set_intent(self, container: Container, intent: Intent) -> None:
        """Record a container's changed intent (not its name), then show it."""
        await self._rows.set_intent(container.id, encode(intent))
        container.intent = intent

    async def rename(self, container: Container, intent: Intent) -> None:
        """Give a container the name in `intent`.

        Raises:
            NameInUse: another container has it.
        """
        old = container.name
        holder = self._names.setdefault(intent.name, container.id)
        if holder != container.id:
            raise NameInUse(intent.name, holder)
        try:
            await self._rows.rename(container.id, intent.name, encode(intent))
        except BaseException:
            del self._names[intent.name]
            raise
        container.intent = intent
        del self._names[old]

    async def delete(self, container: Container) -> None:
        """Remove a container from the store, then from sight."""
        await self._rows.delete(container.id)
        self._by_id.pop(container.id, None)
        if self._names.get(container.name) == container.id:
            del self._names[container.name]
