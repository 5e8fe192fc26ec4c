"""`commit`: an image of what a container has changed. A running one stands still while its files are read."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from windlass.base.errors import InvalidParameter
from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.containers.merge import merge_config
from windlass.engine.containers.pause import pause, thaw
from windlass.engine.containers.reach import layers_root
from windlass.engine.engine import Engine
from windlass.engine.errors import NoSuchContainer, NotRunning
from windlass.images.changes import apply_changes
from windlass.images.commit import CommitWords
from windlass.images.documents import config_members
from windlass.images.image import NoSuchImage
from windlass.spec.container import ContainerConfig
from windlass.spec.reference import ImageRef


@dataclass(frozen=True, slots=True)
class CommitRequest:
    """What to make of which container. Without `config` it is the container's; `changes` are instructions on top."""

    container: str
    ref: ImageRef | None = None
    comment: str = ""
    author: str = ""
    pause: bool = True
    changes: list[str] = field(default_factory=list)
    config: ContainerConfig | None = None


async def commit(engine: Engine, request: CommitRequest) -> str:
    """Make the image; return its id.

    Raises:
        NoSuchContainer: there is none.
        InvalidChange, InvalidParameter: in dockerd's words; nothing was done.
        WindlassError: the host refused; nothing is left of it.
    """
    if not request.container:
        raise InvalidParameter('invalid name or ID supplied: ""')
    container = engine.containers.get(request.container)
    config = _config(container, request)
    return await engine.nursery.run(_commit(engine, container, request, config), f"commit {container.id}")


def _config(container: Container, request: CommitRequest) -> ContainerConfig:
    own = container.intent.config
    config = apply_changes(request.changes, copy.deepcopy(request.config or own))
    merge_config(config, own)
    return config


async def _commit(engine: Engine, container: Container, request: CommitRequest, config: ContainerConfig) -> str:
    parent = engine.images.get(container.intent.image_id)
    if parent is None:
        raise NoSuchImage(container.intent.image_id)
    params: dict[str, object] = msgspec.to_builtins(layers_root(engine, container))

    async def write_layer(fd: int) -> bool:
        async with _standing_still(engine, container, wanted=request.pause):
            result = await engine.launcher.run_job("files-layer", params, [fd])
            if container.removed or container.removing:
                raise NoSuchContainer(request.container)
        return not result["empty"]

    command = container.intent.config.cmd or ()
    words = CommitWords(
        config=config_members(config, empty=True),
        created_by=command if isinstance(command, str) else " ".join(command),
        author=request.author,
        comment=request.comment,
    )
    image = await engine.images.commit(parent, words, request.ref, write_layer)
    named = request.ref.with_default_tag().familiar if request.ref is not None else ""
    announce(engine, container, "commit", comment=request.comment, imageID=image.id, imageRef=named)
    return image.id


@asynccontextmanager
async def _standing_still(engine: Engine, container: Container, *, wanted: bool) -> AsyncIterator[None]:
    """Freeze a container that runs, if that is wanted, and keep one that does not run from starting."""
    if container.state.status == "running":
        if not wanted:
            yield
            return
        try:
            await pause(engine, container.id)
        except NotRunning:
            # It has just ended.
            pass
        else:
            try:
                yield
            finally:
                await thaw(engine, container)
            return
    if container.state.status == "paused":
        yield
        return
    async with container.lock:
        yield
