"""A request's body on its way to a worker: through a pipe, with the worker setting the pace."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

_T = TypeVar("_T")

# Source: pipe(7), "Pipe capacity"; the default upper limit for everyone.
_PIPE_BYTES = 1 << 20

ByteSource = AsyncIterator[bytes] | int
"""Chunks of a stream, or a descriptor to read it from, which stays the caller's to close."""


def wide_pipe() -> tuple[int, int]:
    """Return the reading and the writing end of a pipe that holds much, where the host lets it."""
    read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
    with contextlib.suppress(PermissionError):
        fcntl.fcntl(write_fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return read_fd, write_fd


async def feed(source: ByteSource, work: Callable[[int], Awaitable[_T]]) -> _T:
    """Run `work` on a descriptor from which `source` is read, and return its result.

    When the source breaks off, the work is cancelled; when the work ends early, the rest of the source is not read.

    Raises:
        Exception: what the source or the work raised, whichever was first.
    """
    if isinstance(source, int):
        return await work(source)
    read_fd, write_fd = wide_pipe()
    pump = _Pump(write_fd)
    try:
        async with asyncio.TaskGroup() as group:
            pumping = group.create_task(pump.run(source))
            try:
                return await work(read_fd)
            finally:
                pumping.cancel()
    except BaseExceptionGroup as failures:
        # One fault, told as itself: the other side only ended because of it.
        raise failures.exceptions[0] from None
    finally:
        os.close(read_fd)
        pump.close()


class _Pump:
    """The writing end of a pipe."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        os.set_blocking(fd, False)

    async def run(self, source: AsyncIterator[bytes]) -> None:
        """Write the source to its end, and close the pipe."""
        try:
            async for chunk in source:
                await self._write(chunk)
        except BrokenPipeError:
            # The reader has ended, and says why by itself.
            return
        self.close()

    async def _write(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view:
            try:
                view = view[os.write(self._fd, view) :]
            except BlockingIOError:
                await self._writable()

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_writer(self._fd, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_writer(self._fd)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
