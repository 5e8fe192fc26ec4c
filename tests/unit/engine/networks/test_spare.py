"""One namespace in stock."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from windlass.base.errors import System
from windlass.base.nursery import Nursery
from windlass.engine.networks.spare import SpareNamespace
from windlass.runtime.task import NetNs
from windlass.spec.id_mappings import IdMappings, stacked


class _Launcher:
    def __init__(self) -> None:
        self.made: list[NetNs] = []
        self.fails = False
        self.release = asyncio.Event()
        self.release.set()

    async def new_netns(self, mappings: IdMappings | None = None, userns_fd: int = -1) -> NetNs:
        await self.release.wait()
        if self.fails:
            raise System("no more namespaces")
        owner = os.open("/dev/null", os.O_RDONLY) if mappings else -1
        self.made.append(NetNs(os.open("/dev/null", os.O_RDONLY), socket.socket(), owner))
        return self.made[-1]


def _is_open(namespace: NetNs) -> bool:
    return namespace.route_socket.fileno() >= 0


def _spare() -> tuple[SpareNamespace, _Launcher, Nursery]:
    launcher, nursery = _Launcher(), Nursery()
    return SpareNamespace(launcher, nursery), launcher, nursery  # type: ignore[arg-type]


async def test_what_was_prepared_is_taken_once() -> None:
    spare, launcher, nursery = _spare()
    spare.prepare()
    spare.prepare()
    await nursery.drain(1)
    assert len(launcher.made) == 1
    assert await spare.take() is launcher.made[0]
    assert await spare.take() is launcher.made[1]


async def test_one_that_is_being_made_is_waited_for_by_one_only() -> None:
    spare, launcher, _ = _spare()
    launcher.release.clear()
    spare.prepare()
    both = asyncio.gather(spare.take(), spare.take())
    await asyncio.sleep(0)
    launcher.release.set()
    first, second = await both
    assert first is not second and len(launcher.made) == 2


async def test_a_failure_is_told_to_who_needs_one() -> None:
    spare, launcher, nursery = _spare()
    launcher.fails = True
    spare.prepare()
    await nursery.drain(1)
    with pytest.raises(System, match="no more namespaces"):
        await spare.take()
    launcher.fails = False
    assert _is_open(await spare.take())


async def test_the_spare_one_is_let_go_at_the_end() -> None:
    spare, launcher, nursery = _spare()
    spare.prepare()
    await nursery.drain(1)
    spare.close()
    assert not _is_open(launcher.made[0])
    late, launcher, nursery = _spare()
    launcher.release.clear()
    late.prepare()
    late.close()
    launcher.release.set()
    await nursery.drain(1)
    assert not _is_open(launcher.made[0])


async def test_mapped_namespaces_are_kept_apart() -> None:
    spare, launcher, nursery = _spare()
    mappings = IdMappings(stacked([(100000, 65536)]), stacked([(200000, 65536)]))
    spare.prepare(mappings)
    spare.prepare()
    await nursery.drain(1)
    assert len(launcher.made) == 2
    assert (await spare.take()).userns_fd == -1
    mapped = await spare.take(mappings)
    assert mapped.userns_fd >= 0
    spare.prepare(mappings)
    await nursery.drain(1)
    spare.close()
    with pytest.raises(OSError):
        os.fstat(launcher.made[-1].userns_fd)
