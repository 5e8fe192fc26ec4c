"""The daemon's own tasks: what goes on beside requests and outlives them.

Everything with an end in sight belongs in an `asyncio.TaskGroup`. A nursery is for the rest (ends of containers,
restarts, deletions in the background): no task is ever lost, silent, or left over at the end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


class Nursery:
    """A set of named tasks, none of which ends the others by failing."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run `work` beside the caller; its failure is logged."""
        self._spawn(work, name).add_done_callback(_report)

    async def run(self, work: Coroutine[Any, Any, _T], name: str) -> _T:
        """Run `work` to its end even if the caller is cancelled (a client that went away), and return its result."""
        return await asyncio.shield(self._spawn(work, name))

    def _spawn(self, work: Coroutine[Any, Any, _T], name: str) -> asyncio.Task[_T]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def drain(self, timeout_s: float) -> None:
        """Wait for the tasks there are, at most `timeout_s` seconds."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=timeout_s)

    async def close(self) -> None:
        """Cancel every task and wait for its end."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _report(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("task failed", exc_info=error, extra={"fields": {"task": task.get_name()}})
