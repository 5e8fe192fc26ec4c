"""The one thread in which networks are changed, and one beside it for what is slow.

Attaching is on somebody's critical path and goes first come, first served. Removing interfaces costs 10 ms in the
kernel and nobody waits for it: endpoints are collected and go together once it has been quiet for a moment, in a
second thread, so that no attach stands behind them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from windlass.base.errors import WindlassError
from windlass.base.logging import event
from windlass.network.detaching import remove_interfaces
from windlass.network.driver import BridgeDriver
from windlass.network.model import Endpoint

_T = TypeVar("_T")

_QUIET_S = 0.1
_MOST_COLLECTED = 64

_log = logging.getLogger(__name__)


class NetworkThread:
    """Runs calls of one driver, which is made in the thread and never leaves it."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "network")
        self._remover = ThreadPoolExecutor(1, "network-remove")
        self._removal: Future[None] | None = None
        self._removed: deque[list[Endpoint]] = deque()
        self._driver: BridgeDriver | None = None
        self._leaving: list[Endpoint] = []
        self._timer: asyncio.TimerHandle | None = None

    async def open(self, make_driver: Callable[[], BridgeDriver]) -> None:
        """Make the driver.

        Raises:
            OSError: the kernel has no netlink or no nftables.
        """
        self._driver = await asyncio.get_running_loop().run_in_executor(self._executor, make_driver)

    async def call(self, function: Callable[[BridgeDriver], _T]) -> _T:
        """Run `function` with the driver and return its result. A cancelled caller does not stop it."""
        driver = self._driver
        assert driver is not None, "opened first"
        return await asyncio.get_running_loop().run_in_executor(self._executor, lambda: function(driver))

    def detach_soon(self, endpoint: Endpoint) -> None:
        """Free an endpoint's ports now and remove its interfaces in a moment."""
        self._executor.submit(self._unpublish, endpoint)
        self._leaving.append(endpoint)
        if self._timer is not None:
            self._timer.cancel()
        delay_s = 0 if len(self._leaving) >= _MOST_COLLECTED else _QUIET_S
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._remove_collected)

    def _remove_collected(self) -> None:
        self._timer = None
        leaving, self._leaving = self._leaving, []
        if leaving:
            self._removal = self._remover.submit(self._remove, leaving)

    def flush(self) -> None:
        """Queue the removal of everything that has been detached, ahead of any later call."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        leaving, self._leaving = self._leaving, []
        self._executor.submit(self._finish, self._removal, leaving)

    def _remove(self, endpoints: list[Endpoint]) -> None:
        """In the second thread: the interfaces; in the first one afterwards: the addresses."""
        self._complain(lambda _driver: remove_interfaces(endpoints), len(endpoints))
        self._removed.append(endpoints)
        self._executor.submit(self._forget_removed)

    def _forget_removed(self) -> None:
        while self._removed:
            endpoints = self._removed.popleft()
            self._complain(lambda driver, gone=endpoints: driver.forget(gone), len(endpoints))  # type: ignore[misc]

    def _finish(self, removal: Future[None] | None, leaving: list[Endpoint]) -> None:
        if removal is not None:
            removal.result()
        self._forget_removed()
        if leaving:
            self._complain(lambda driver: driver.detach_many(leaving), len(leaving))

    def _unpublish(self, endpoint: Endpoint) -> None:
        self._complain(lambda driver: driver.unpublish(endpoint), 1)

    def _complain(self, function: Callable[[BridgeDriver], None], count: int) -> None:
        """Nobody waits for the outcome; what is left behind is removed at the next start."""
        assert self._driver is not None
        try:
            function(self._driver)
        except (WindlassError, OSError) as error:
            event(_log, logging.WARNING, "endpoints were not removed cleanly", endpoints=count, error=error)

    async def close(self) -> None:
        """Finish what is queued and close the driver's sockets; networks and endpoints stay."""
        self.flush()
        await asyncio.to_thread(self._remover.shutdown)
        if self._driver is not None:
            await self.call(lambda driver: driver.close())
        await asyncio.to_thread(self._executor.shutdown)
