"""Hostile roots, images and clients."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.entries import ENTRIES, Entry, make_entry
from tests.support.fixtures import bench, busybox_root
from tests.support.launching import Bench

__all__ = ["bench", "busybox_root"]


@pytest.fixture(params=ENTRIES)
def entry(request: pytest.FixtureRequest, bench: Bench, tmp_path: Path) -> Entry:
    """Each way into a container, with a root that may be spoiled."""
    return make_entry(request.param, bench, tmp_path)
