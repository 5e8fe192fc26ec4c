"""The daemon's own tasks."""

from __future__ import annotations

import asyncio
import logging

import pytest

from windlass.base.nursery import Nursery


async def test_a_failure_is_logged_and_ends_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    nursery = Nursery()
    done = asyncio.Event()

    async def fails() -> None:
        raise ValueError("broken")

    async def goes_on() -> None:
        await asyncio.sleep(0)
        done.set()

    with caplog.at_level(logging.ERROR):
        nursery.start(fails(), "fails")
        nursery.start(goes_on(), "goes on")
        await nursery.drain(1)
    assert done.is_set()
    assert [record.message for record in caplog.records] == ["task failed"]


async def test_run_outlives_its_caller() -> None:
    nursery = Nursery()
    begun, release, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await release.wait()
        done.set()

    caller = asyncio.ensure_future(nursery.run(work(), "work"))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    release.set()
    await nursery.drain(1)
    assert done.is_set()


async def test_close_waits_for_the_end_of_what_it_cancels() -> None:
    nursery = Nursery()
    ended = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.set()

    nursery.start(stubborn(), "stubborn")
    await asyncio.sleep(0)
    await nursery.close()
    assert ended.is_set()
