"""An image store with real workers, for tests."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from windlass.base.nursery import Nursery
from windlass.distribution.endpoints import RegistrySettings
from windlass.distribution.source import Retry
from windlass.distribution.transport import Timeouts
from windlass.images.image import ImageUser
from windlass.images.service import ImageService, PullOptions, open_images
from windlass.runtime.zygote import ZygoteLauncher
from windlass.store.database import Database, open_database


@dataclass
class ImageLab:
    """An image service over a directory, with what it said; `users` are containers by image id."""

    root: Path
    service: ImageService
    database: Database
    nursery: Nursery
    events: list[tuple[str, str, str, Mapping[str, str]]]
    said: list[Mapping[str, object]] = field(default_factory=list)
    users: dict[str, list[ImageUser]] = field(default_factory=dict)

    def users_of(self, image_id: str) -> list[ImageUser]:
        """Who uses an image."""
        return self.users.get(image_id, [])

    def statuses(self) -> list[str]:
        """The statuses and lines that were told."""
        return [str(message.get("status") or message.get("stream", "")).strip() for message in self.said]

    async def names(self) -> dict[str, list[str]]:
        """Every image's tags by its id."""
        return {str(each["Id"]): list(each["RepoTags"]) for each in await self.service.list(show_all=True)}  # type: ignore[call-overload]

    async def settled(self) -> None:
        """Wait for sweeps."""
        for task in list(self.nursery._tasks):
            if task.get_name() == "images sweep":
                await task

    def layers(self) -> set[str]:
        """Names of everything in the layers' directory."""
        return set(os.listdir(self.root / "layers"))

    def blobs(self) -> set[str]:
        """Digests of stored blobs."""
        return {f"sha256:{name}" for name in os.listdir(self.root / "blobs/sha256")}

    def leftovers(self) -> list[str]:
        """Files of anything unfinished."""
        staged = self.root / "staging"
        found = [str(path) for path in staged.rglob("*")] if staged.exists() else []
        found += [f"ingest/{name}" for name in os.listdir(self.root / "ingest")]
        return found + [name for name in self.layers() if "-" in name]

    def tree(self, name: str) -> dict[str, bytes]:
        """The regular files of one layer."""
        top = self.root / "layers" / name / "d"
        files = [path for path in top.rglob("*") if stat.S_ISREG(path.lstat().st_mode)]
        return {str(path.relative_to(top)): path.read_bytes() for path in files}


@asynccontextmanager
async def image_lab(
    root: Path, launcher: ZygoteLauncher, registries: RegistrySettings | None = None
) -> AsyncIterator[ImageLab]:
    """Open the image store at `root` with real workers, and close it."""
    database = open_database(str(root / "db" / "meta.sqlite"))
    nursery = Nursery()
    events: list[tuple[str, str, str, Mapping[str, str]]] = []
    options = PullOptions(
        registries or RegistrySettings(), retry=Retry(3, 0.01), timeouts=Timeouts(connect_s=2, idle_s=2)
    )
    service = await open_images(str(root), database, launcher, nursery, lambda *event: events.append(event), options)
    try:
        yield ImageLab(root, service, database, nursery, events)
    finally:
        await nursery.close()
        await service.close()
        await database.close()


async def chunks(data: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    """A body in pieces."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
