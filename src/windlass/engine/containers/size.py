"""How much a container has written, and how large its root file system is with it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from windlass.engine.containers.container import Container
from windlass.engine.engine import Engine
from windlass.engine.paths import ContainerPaths
from windlass.snapshots.usage import disk_usage

_BLOCK = 512


def container_sizes(engine: Engine, container: Container) -> tuple[int, int]:
    """Return the bytes of the container's own layer, and of all its layers. Blocks: it looks at every file."""
    own = disk_usage(container.paths.upper)
    image = engine.images.get(container.intent.image_id)
    return own, own + (image.size_bytes if image is not None else 0)


def log_usage(paths: Iterable[ContainerPaths]) -> list[int]:
    """Return the bytes on disk that each container's logs take, rotated and compressed ones included. Blocks."""
    return [_log_bytes(container) for container in paths]


def _log_bytes(paths: ContainerPaths) -> int:
    total = 0
    for log in (paths.log, paths.local_log, paths.cached_log):
        try:
            with os.scandir(os.path.dirname(log)) as entries:
                names = [entry.name for entry in entries if entry.name.startswith(os.path.basename(log))]
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in names:
            try:
                status = os.stat(f"{os.path.dirname(log)}/{name}", follow_symlinks=False)
            except FileNotFoundError:
                # Rotated away just now.
                continue
            total += status.st_blocks * _BLOCK
    return total
