"""Events of containers."""

from __future__ import annotations

from windlass.engine.containers.container import Container
from windlass.engine.engine import Engine


def announce(engine: Engine, container: Container, action: str, **attributes: str) -> None:
    """Emit a container's event: its labels, its image and its name, and what belongs to the action."""
    config = container.intent.config
    engine.events.emit(
        "container",
        action,
        container.id,
        {**(config.labels or {}), "image": config.image, "name": container.name, **attributes},
    )


def announce_mounts(engine: Engine, container: Container) -> None:
    """Emit the events of the volumes that a container is started with. Source: dockerd's volume events."""
    for point in container.intent.mounts:
        if point.type == "volume":
            attributes = {
                "container": container.id,
                "destination": point.destination,
                "driver": point.driver or "local",
                "propagation": point.propagation,
                "read/write": str(not point.read_only).lower(),
            }
            engine.events.emit("volume", "mount", point.name, attributes)


def announce_unmounts(engine: Engine, container: Container) -> None:
    """Emit the events of the volumes that a container leaves by its end."""
    for point in container.intent.mounts:
        if point.type == "volume":
            attributes = {"container": container.id, "driver": point.driver or "local"}
            engine.events.emit("volume", "unmount", point.name, attributes)
