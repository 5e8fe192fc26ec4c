"""Image stores with real workers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from tests.support.fake_registry import FakeRegistry, fake_registry
from tests.support.image_lab import ImageLab, image_lab

from windlass.runtime.zygote import ZygoteLauncher


@pytest_asyncio.fixture
async def launcher(tmp_path: Path) -> AsyncIterator[ZygoteLauncher]:
    """A zygote of its own."""
    launcher = ZygoteLauncher(str(tmp_path / "run"))
    await launcher.start()
    yield launcher
    await launcher.close()


@pytest_asyncio.fixture
async def lab(tmp_path: Path, launcher: ZygoteLauncher) -> AsyncIterator[ImageLab]:
    """An empty image store."""
    async with image_lab(tmp_path / "data", launcher) as lab:
        yield lab


@pytest_asyncio.fixture
async def registry() -> AsyncIterator[FakeRegistry]:
    """An empty registry."""
    async with fake_registry() as registry:
        yield registry
