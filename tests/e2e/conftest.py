"""One engine for the session, driven from outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.daemon import PrivateDaemon, busybox_tar


@pytest.fixture(scope="session")
def image_tar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tar of a busybox root."""
    return busybox_tar(tmp_path_factory.mktemp("busybox-tar"))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, image_tar: Path) -> Iterator[PrivateDaemon]:
    """A running engine that has the image `busybox`."""
    daemon = PrivateDaemon(tmp_path_factory.mktemp("e"))
    daemon.start()
    try:
        daemon.docker("import", str(image_tar), "busybox")
        yield daemon
    finally:
        daemon.destroy()


@pytest.fixture
def own_engine(tmp_path: Path, image_tar: Path) -> Iterator[PrivateDaemon]:
    """An engine for one test that is going to hurt it."""
    daemon = PrivateDaemon(tmp_path, number=1)
    daemon.start()
    try:
        daemon.docker("import", str(image_tar), "busybox")
        yield daemon
    finally:
        daemon.destroy()
