"""Blocking work beside the event loop (law 8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def run_blocking(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run `function` in a thread and return its result; when cancelled, wait for its end first.

    A thread cannot be stopped. Left behind, it would go on writing to descriptors that the caller closes, and that may
    be another file's by then.
    """
    return await _run(partial(function, *args, **kwargs), _forget)


async def acquire_blocking(
    release: Callable[[_T], object], function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
) -> _T:
    """As `run_blocking`, for a `function` whose result must be given back: when cancelled, `release` is called with it.

    `release` runs in a thread as well.
    """
    return await _run(partial(function, *args, **kwargs), release)


async def _run(function: Callable[[], _T], release: Callable[[_T], object]) -> _T:
    work = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await _end_of(work)
        if not work.cancelled() and work.exception() is None:
            await _end_of(asyncio.ensure_future(asyncio.to_thread(release, work.result())))
        raise


async def _end_of(work: asyncio.Future[_T]) -> None:
    while not work.done():
        try:
            await asyncio.wait((work,))
        except asyncio.CancelledError:
            continue


def _forget(_result: object) -> None:
    """For results that hold nothing."""
