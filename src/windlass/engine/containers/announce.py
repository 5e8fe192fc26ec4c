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
