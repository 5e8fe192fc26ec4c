"""One network namespace in stock: making one takes as long as everything else that a start does beside the launch.

It is made when a container is created, while its client is still on the way to starting it.
"""

from __future__ import annotations

import asyncio
import os

from windlass.base.errors import WindlassError
from windlass.base.nursery import Nursery
from windlass.runtime.task import Launcher, NetNs


class SpareNamespace:
    """Holds at most one namespace that nobody uses yet."""

    def __init__(self, launcher: Launcher, nursery: Nursery) -> None:
        self._launcher = launcher
        self._nursery = nursery
        self._making: asyncio.Future[NetNs | None] | None = None
        self._closed = False

    def prepare(self) -> None:
        """See to it that there will be one; returns at once."""
        if self._making is None and not self._closed:
            self._making = asyncio.get_running_loop().create_future()
            self._nursery.start(self._make(self._making), "spare network namespace")

    async def _make(self, result: asyncio.Future[NetNs | None]) -> None:
        made: NetNs | None = None
        try:
            made = await self._launcher.new_netns()
        except WindlassError:
            # Whoever needs one tries again, and is told why it cannot be had.
            made = None
        finally:
            if not result.done():
                result.set_result(made)
        if self._closed and made is not None:
            discard(made)

    async def take(self) -> NetNs:
        """Return a namespace, which is the caller's now.

        Raises:
            WindlassError: the host refused.
        """
        making, self._making = self._making, None
        spare = await making if making is not None else None
        return spare if spare is not None else await self._launcher.new_netns()

    def close(self) -> None:
        """Let go of the spare one."""
        self._closed = True
        making, self._making = self._making, None
        if making is not None and making.done() and not making.cancelled() and (spare := making.result()) is not None:
            discard(spare)


def discard(namespace: NetNs) -> None:
    """Close a namespace's descriptors: with the last of them it ends."""
    os.close(namespace.netns_fd)
    namespace.route_socket.close()
