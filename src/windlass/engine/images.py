"""What the engine tells the images: which containers use them."""

from __future__ import annotations

from collections.abc import Iterable

from windlass.engine.engine import Engine
from windlass.images.image import ImageUser, UsersOf


def image_users(engine: Engine) -> UsersOf:
    """Return a function that names the containers made from an image."""

    def users_of(image_id: str) -> Iterable[ImageUser]:
        return [
            ImageUser(container.id, container.state.is_active)
            for container in engine.containers
            if container.intent.image_id == image_id
        ]

    return users_of
