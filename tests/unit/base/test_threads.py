"""Blocking work beside the loop, and its callers that lose interest."""

from __future__ import annotations

import asyncio
import threading

import pytest

from windlass.base.threads import acquire_blocking, run_blocking


async def test_results_and_errors_come_back() -> None:
    assert await run_blocking(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await run_blocking(divmod, 7, 0)


async def _cancelled_during(work: asyncio.Future[object], begun: asyncio.Event, go_on: threading.Event) -> None:
    await begun.wait()
    work.cancel()
    # The caller has its chance to give up too early.
    for _ in range(3):
        await asyncio.sleep(0)
    assert not work.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await work


async def test_a_cancelled_caller_waits_for_the_thread() -> None:
    loop, begun, go_on, ended = asyncio.get_running_loop(), asyncio.Event(), threading.Event(), threading.Event()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait()
        ended.set()

    await _cancelled_during(asyncio.ensure_future(run_blocking(work)), begun, go_on)
    assert ended.is_set()


async def test_what_a_cancelled_caller_acquired_is_given_back() -> None:
    loop, begun, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    released: list[str] = []

    def acquire() -> str:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait()
        return "it"

    await _cancelled_during(asyncio.ensure_future(acquire_blocking(released.append, acquire)), begun, go_on)
    assert released == ["it"]


async def test_what_was_acquired_is_the_callers() -> None:
    released: list[str] = []
    assert await acquire_blocking(released.append, str, 7) == "7"
    assert not released
