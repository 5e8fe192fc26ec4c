"""Fixtures of `launching`, for the conftest of each folder that needs them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.support.launching import Bench
from tests.support.rootfs import make_busybox_root

from windlass.runtime.zygote import ZygoteLauncher


@pytest.fixture(scope="session")
def busybox_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A read-only-by-convention root of busybox, one for the session."""
    return make_busybox_root(tmp_path_factory.mktemp("busybox") / "d")


@pytest_asyncio.fixture
async def bench(tmp_path: Path, busybox_root: Path) -> AsyncIterator[Bench]:
    """A zygote of its own and directories for containers."""
    launcher = ZygoteLauncher(str(tmp_path / "run"))
    await launcher.start()
    try:
        yield Bench(launcher, tmp_path, busybox_root)
    finally:
        await launcher.close()
