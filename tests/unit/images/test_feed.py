"""A body on its way through a pipe, and either side's early end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from windlass.images.feed import feed


async def _body(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def _read_all(fd: int) -> bytes:
    data = b""
    while piece := os.read(fd, 1 << 20):
        data += piece
    return data


async def _reader(fd: int) -> bytes:
    return await asyncio.to_thread(_read_all, fd)


def _open_fds() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


async def test_everything_arrives_and_then_the_end() -> None:
    chunks = [os.urandom(300_000) for _ in range(10)]
    assert await feed(_body(*chunks), _reader) == b"".join(chunks)


async def test_a_descriptor_is_read_itself() -> None:
    read_fd, write_fd = os.pipe()
    os.write(write_fd, b"abc")
    os.close(write_fd)
    assert await feed(read_fd, _reader) == b"abc"
    os.close(read_fd)


async def test_work_that_ends_early_does_not_wait_for_the_rest() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 20)

    async def content(_fd: int) -> str:
        return "enough"

    async def failing(_fd: int) -> str:
        raise ValueError("bad")

    before = _open_fds()
    assert await feed(endless(), content) == "enough"
    with pytest.raises(ValueError, match="bad"):
        await feed(endless(), failing)
    assert _open_fds() == before


async def test_a_source_that_breaks_off_cancels_the_work() -> None:
    cancelled = asyncio.Event()

    async def broken() -> AsyncIterator[bytes]:
        yield b"abc"
        raise ConnectionResetError("gone")

    async def waiting(_fd: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    before = _open_fds()
    with pytest.raises(ConnectionResetError, match="gone"):
        await feed(broken(), waiting)
    assert cancelled.is_set()
    assert _open_fds() == before
