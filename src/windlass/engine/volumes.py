"""Volumes: named and anonymous directories that outlive containers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator

import msgspec

from windlass.base.clock import now_ns, rfc3339_nano
from windlass.base.errors import Conflict, NotFound, WindlassError
from windlass.base.ids import new_id
from windlass.base.logging import event
from windlass.base.threads import run_blocking
from windlass.engine.errors import NoSuchVolume
from windlass.engine.events import Events
from windlass.engine.filters import Filters
from windlass.snapshots.usage import disk_usage
from windlass.store.volumes import VolumeRow, VolumeRows
from windlass.volumes.local import DRIVER, LocalVolumes

ANONYMOUS_LABEL = "com.docker.volume.anonymous"

_PRUNE_FILTERS = ("all", "label", "label!")
_log = logging.getLogger(__name__)


class VolumeInUse(Conflict):
    """Containers use the volume."""

    def __init__(self, name: str, users: Iterable[str]) -> None:
        super().__init__(f"remove {name}: volume is in use - [{', '.join(users)}]")
        self.name = name


class Volume(msgspec.Struct, frozen=True, omit_defaults=True):
    """A volume; `path` is what containers see."""

    name: str
    path: str
    created_ns: int
    labels: dict[str, str] = {}
    options: dict[str, str] = {}
    driver: str = DRIVER

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody gave it a name."""
        return ANONYMOUS_LABEL in self.labels

    def to_api(self) -> dict[str, object]:
        """Return the API's Volume."""
        return {
            "CreatedAt": rfc3339_nano(self.created_ns).partition(".")[0] + "Z",
            "Driver": self.driver,
            "Labels": self.labels or None,
            "Mountpoint": self.path,
            "Name": self.name,
            "Options": self.options or None,
            "Scope": "local",
        }


_decoder = msgspec.json.Decoder(Volume)
_encode = msgspec.json.Encoder().encode


class Volumes:
    """Volumes by name. `users_of` tells which containers (by id) use one."""

    def __init__(
        self, rows: VolumeRows, local: LocalVolumes, events: Events, users_of: Callable[[str], list[str]]
    ) -> None:
        self._rows = rows
        self._local = local
        self._events = events
        self._users_of = users_of
        self._by_name: dict[str, Volume] = {}
        self._changing = asyncio.Lock()

    def __iter__(self) -> Iterator[Volume]:
        return iter(tuple(self._by_name.values()))

    async def load(self) -> None:
        """Take in what the store has, once, at start, and finish interrupted removals."""
        for row in await self._rows.all():
            self._by_name[row.name] = _decoder.decode(row.document)
        await run_blocking(self._local.sweep)

    def get(self, name: str) -> Volume:
        """Return a volume.

        Raises:
            NoSuchVolume: there is none.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise NoSuchVolume(name) from None

    def users(self, name: str) -> list[str]:
        """Return the ids of the containers that use a volume."""
        return self._users_of(name)

    async def create(
        self,
        name: str = "",
        driver: str = DRIVER,
        options: dict[str, str] | None = None,
        labels: dict[str, str] | None = None,
    ) -> Volume:
        """Return the volume `name`, made if it is not there; without a name, a new anonymous one.

        Raises:
            InvalidVolumeName, InvalidParameter: in dockerd's words.
            NotFound: another driver is asked for.
            Conflict: the volume is there with other options.
            System: the host refused.
        """
        if driver not in ("", DRIVER):
            raise NotFound(f"error looking up volume plugin {driver}: plugin {driver!r} not found".replace("'", '"'))
        labels = dict(labels or {})
        if not name:
            name = new_id()
            labels[ANONYMOUS_LABEL] = ""
        async with self._changing:
            known = self._by_name.get(name)
            if known is not None:
                if options and options != known.options:
                    raise Conflict(f"create {name}: volume already exists with different options")
                return known
            path = await run_blocking(self._local.create, name, options or {})
            volume = Volume(name, path, now_ns(), labels, options or {})
            await self._rows.put(VolumeRow(name, _encode(volume)))
            self._by_name[name] = volume
        self._events.emit("volume", "create", name, {"driver": DRIVER})
        return volume

    async def is_empty(self, volume: Volume) -> bool:
        """Tell whether a volume has no content yet."""
        return await run_blocking(self._local.is_empty, volume.name)

    async def prune(self, filters: Filters) -> dict[str, object]:
        """Remove the anonymous volumes (with `all`, named ones too) that nobody uses; return VolumePruneResponse.

        Raises:
            InvalidFilter: an unknown filter or value.
        """
        filters.accept(_PRUNE_FILTERS)
        named_too = filters.flag("all", default=False)
        deleted: list[str] = []
        reclaimed_bytes = 0
        for volume in self:
            if not (volume.is_anonymous or named_too) or self._users_of(volume.name):
                continue
            if not filters.labels(volume.labels) or not filters.without_labels(volume.labels):
                continue
            size_bytes = await run_blocking(disk_usage, volume.path)
            try:
                await self.remove(volume.name)
            except WindlassError:
                # A container has come to use it meanwhile.
                continue
            deleted.append(volume.name)
            reclaimed_bytes += size_bytes
        self._events.emit("volume", "prune", "", {"reclaimed": str(reclaimed_bytes)})
        return {"VolumesDeleted": deleted or None, "SpaceReclaimed": reclaimed_bytes}

    async def drop_anonymous(self, names: Iterable[str]) -> None:
        """Remove those of `names` that are anonymous and that no container uses."""
        for name in names:
            volume = self._by_name.get(name)
            if volume is None or not volume.is_anonymous or self._users_of(name):
                continue
            try:
                await self.remove(name)
            except WindlassError as error:
                event(_log, logging.WARNING, "anonymous volume stays", volume=name, error=error)

    async def remove(self, name: str, *, force: bool = False) -> None:
        """Remove a volume with its content; with `force` one that does not exist is fine.

        Raises:
            NoSuchVolume, VolumeInUse, System.
        """
        if force and name not in self._by_name:
            return
        async with self._changing:
            volume = self.get(name)
            users = self._users_of(name)
            if users:
                raise VolumeInUse(name, users)
            await self._rows.delete(name)
            del self._by_name[name]
            await run_blocking(self._local.remove, volume.name)
        self._events.emit("volume", "destroy", name, {"driver": DRIVER})
        event(_log, logging.INFO, "volume removed", volume=name)
