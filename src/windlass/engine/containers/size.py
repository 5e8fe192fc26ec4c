"""How much a container has written, and how large its root file system is with it."""

from __future__ import annotations

from windlass.engine.containers.container import Container
from windlass.engine.engine import Engine
from windlass.snapshots.usage import disk_usage


def container_sizes(engine: Engine, container: Container) -> tuple[int, int]:
    """Return the bytes of the container's own layer, and of all its layers. Blocks: it looks at every file."""
    own = disk_usage(container.paths.upper)
    image = engine.images.get(container.intent.image_id)
    return own, own + (image.size_bytes if image is not None else 0)
