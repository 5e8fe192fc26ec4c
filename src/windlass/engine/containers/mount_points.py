"""From what a container's configuration says of mounts to mounts with sources on the host."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from windlass.base.errors import NotSupported
from windlass.base.threads import run_blocking
from windlass.engine.containers.volumes_from import mounts_from
from windlass.engine.engine import Engine
from windlass.engine.volumes import Volume
from windlass.images.image import Image
from windlass.runtime.intent import MountPoint
from windlass.runtime.mount_requests import check_bind_sources, parse_mounts, sort_mounts
from windlass.spec.container import ContainerConfig, HostConfig, MountRequest


async def resolve_mounts(engine: Engine, config: ContainerConfig, host: HostConfig, image: Image) -> list[MountPoint]:
    """Return a new container's mounts; volumes are made, and filled from the image when they are new.

    Raises:
        InvalidParameter, NotFound: in dockerd's words.
        NotSupported: mounts of a type that this engine does not have.
    """
    points = parse_mounts(config, host)
    if host.mounts:
        await run_blocking(check_bind_sources, host)
    if host.volumes_from:
        own = {point.destination for point in points if point.name or point.type != "volume"}
        inherited = [p for p in mounts_from(engine.containers, host.volumes_from) if p.destination not in own]
        taken = {point.destination for point in inherited}
        points = sort_mounts([*(p for p in points if p.destination not in taken), *inherited])
    resolved: list[MountPoint] = []
    try:
        for point in points:
            resolved.append(await _resolve(engine, point, host.mounts or (), image))
    except BaseException:
        await engine.volumes.drop_anonymous(point.name for point in resolved)
        raise
    return resolved


async def _resolve(engine: Engine, point: MountPoint, requests: Iterable[MountRequest], image: Image) -> MountPoint:
    if point.type == "image":
        raise NotSupported("image mounts are not supported by this engine yet")
    if point.type != "volume" or point.source:
        return point
    options = next((r.volume_options for r in requests if r.target == point.destination), None)
    driver = options.driver_config if options else None
    volume = await engine.volumes.create(
        point.name,
        point.driver,
        driver.options if driver else None,
        options.labels if options else None,
    )
    if point.copy_data:
        await _fill(engine, volume, point.destination, image)
    return msgspec.structs.replace(point, name=volume.name, source=volume.path, driver=volume.driver)


async def _fill(engine: Engine, volume: Volume, path: str, image: Image) -> None:
    """Copy what the image has at `path` into a volume that is still empty."""
    if not await engine.volumes.is_empty(volume):
        return
    lower = [f"{name}/d" for name in engine.images.rootfs(image)]
    if lower:
        await engine.launcher.run_job(
            "copy-up",
            {"base": engine.paths.layers, "lower": lower, "path": path, "target": volume.path},
        )
