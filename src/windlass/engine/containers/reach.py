"""How a worker reaches a container's files: by the root of its process, or by mounting what it is made of.

Source: proc(5), "/proc/pid/root"; pidfd_open(2).
"""

from __future__ import annotations

import os
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from windlass.base.errors import Conflict
from windlass.engine.containers.container import Container
from windlass.engine.containers.lowering import etc_files_owner
from windlass.engine.engine import Engine
from windlass.engine.errors import NoSuchContainer
from windlass.files.model import Bind, Root, Where
from windlass.snapshots.overlay import OVERLAY_OPTIONS


@dataclass(frozen=True, slots=True)
class Reached:
    """The files of a container: what a job is told, and the descriptors that go before its own."""

    where: Where
    fds: tuple[int, ...] = ()

    @property
    def params(self) -> dict[str, object]:
        """`where` for a job."""
        found: dict[str, object] = msgspec.to_builtins(self.where)
        return found


@asynccontextmanager
async def reached(engine: Engine, container: Container) -> AsyncIterator[Reached]:
    """Yield how the files of a container are reached. One that does not run is kept from starting meanwhile.

    Raises:
        NoSuchContainer, Conflict: it is gone, or going.
    """
    running = _open_running(container)
    if running is None:
        async with container.lock:
            running = _open_running(container)
            if running is None:
                await _settled(container)
                yield Reached(Where(root=layers_root(engine, container, with_mounts=True)))
                return
    try:
        yield running
    finally:
        for fd in running.fds:
            os.close(fd)


async def _settled(container: Container) -> None:
    """Wait until what a container's end leaves to do is done."""
    if container.removed:
        raise NoSuchContainer(container.id)
    if container.removing or container.state.status in ("removing", "dead"):
        raise Conflict(f"container {container.id} is marked for removal and its files cannot be reached")
    if container.teardown is not None:
        await container.teardown.wait()


def _open_running(container: Container) -> Reached | None:
    """Open the root of a container's process, and its user namespace if that is not ours; None when there is none."""
    if container.task is None or not container.state.is_running:
        return None
    opened: list[int] = []
    pidfd = -1
    try:
        pidfd = os.pidfd_open(container.state.pid)
        process = f"/proc/{container.state.pid}"
        opened.append(os.open(f"{process}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
        mapped = not os.path.samestat(os.stat(f"{process}/ns/user"), os.stat("/proc/self/ns/user"))
        if mapped:
            opened.append(os.open(f"{process}/ns/user", os.O_RDONLY | os.O_CLOEXEC))
        # Only now is it sure that all of these were of the same process.
        if _has_ended(pidfd):
            raise ProcessLookupError
    except OSError:
        for fd in opened:
            os.close(fd)
        return None
    finally:
        if pidfd >= 0:
            os.close(pidfd)
    return Reached(Where(mapped=mapped), tuple(opened))


def _has_ended(pidfd: int) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(0))


def layers_root(engine: Engine, container: Container, *, with_mounts: bool = False) -> Root:
    """Return what a container's root is made of, and with `with_mounts` what is mounted on it, but for its tmpfs."""
    intent, paths = container.intent, container.paths
    return Root(
        base=engine.paths.layers,
        lower=[f"{name}/d" for name in engine.images.layers_of(intent.image_id)],
        upper=paths.upper,
        work=paths.work,
        target=paths.rootfs,
        options=",".join(OVERLAY_OPTIONS),
        binds=_binds(engine, container) if with_mounts else [],
        read_only=with_mounts and intent.host_config.readonly_rootfs,
    )


def _binds(engine: Engine, container: Container) -> list[Bind]:
    points = [point for point in container.intent.mounts if point.type in ("bind", "volume") and point.source]
    binds = [Bind(point.source, point.destination, point.read_only) for point in points]
    taken = {bind.destination for bind in binds}
    try:
        etc = etc_files_owner(engine, container.intent)
    except NoSuchContainer:
        # The container whose network it used is gone.
        etc = container.paths
    for name, source in (("hostname", etc.hostname), ("hosts", etc.hosts), ("resolv.conf", etc.resolv_conf)):
        if f"/etc/{name}" not in taken and os.path.exists(source):
            binds.append(Bind(source, f"/etc/{name}"))
    return binds
