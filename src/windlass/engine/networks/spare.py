"""One network namespace in stock: making one takes as long as everything else that a start does beside the launch.

It is made when a container is created, while its client is still on the way to starting it. One that a user namespace
owns serves containers with its mappings only, so there is one in stock for each mappings.
"""

from __future__ import annotations

import asyncio
import os
from typing import TypeAlias

from windlass.base.errors import WindlassError
from windlass.base.nursery import Nursery
from windlass.runtime.task import Launcher, NetNs
from windlass.spec.id_mappings import IdMappings

_Making: TypeAlias = "asyncio.Future[NetNs | None]"


class SpareNamespace:
    """Holds, for each mappings (None: the host's users), at most one namespace that nobody uses yet."""

    def __init__(self, launcher: Launcher, nursery: Nursery) -> None:
        self._launcher = launcher
        self._nursery = nursery
        self._making: dict[IdMappings | None, _Making] = {}
        self._closed = False

    def prepare(self, mappings: IdMappings | None = None) -> None:
        """See to it that there will be one; returns at once."""
        if mappings not in self._making and not self._closed:
            making = self._making[mappings] = asyncio.get_running_loop().create_future()
            self._nursery.start(self._make(mappings, making), "spare network namespace")

    async def _make(self, mappings: IdMappings | None, result: _Making) -> None:
        made: NetNs | None = None
        try:
            made = await self._launcher.new_netns(mappings)
        except WindlassError:
            # Whoever needs one tries again, and is told why it cannot be had.
            made = None
        finally:
            if not result.done():
                result.set_result(made)
        if self._closed and made is not None:
            discard(made)

    async def take(self, mappings: IdMappings | None = None) -> NetNs:
        """Return a namespace, which is the caller's now.

        Raises:
            WindlassError: the host refused.
        """
        making = self._making.pop(mappings, None)
        spare = await making if making is not None else None
        return spare if spare is not None else await self._launcher.new_netns(mappings)

    def close(self) -> None:
        """Let go of the spare ones."""
        self._closed = True
        while self._making:
            _, making = self._making.popitem()
            if making.done() and not making.cancelled() and (spare := making.result()) is not None:
                discard(spare)


def discard(namespace: NetNs) -> None:
    """Close a namespace's descriptors: with the last of them it ends."""
    os.close(namespace.netns_fd)
    if namespace.userns_fd >= 0:
        os.close(namespace.userns_fd)
    namespace.route_socket.close()
