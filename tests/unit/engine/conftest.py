"""An engine in memory for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from tests.support.fake_engine import FakeWorld, open_world


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[FakeWorld]:
    """An engine whose host is a fake."""
    async with open_world(tmp_path) as opened:
        yield opened
