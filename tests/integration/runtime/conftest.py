"""Lowered containers on a real kernel, and bundles of the OCI runtime."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.fixtures import bench, busybox_root
from tests.support.oci_runtime import OciRuntime
from tests.support.rootfs import make_busybox_root

__all__ = ["bench", "busybox_root"]


@pytest.fixture
def runtime(tmp_path: Path) -> OciRuntime:
    """The command line with state of its own."""
    return OciRuntime(tmp_path)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle without a configuration."""
    make_busybox_root(tmp_path / "bundle/rootfs")
    return tmp_path / "bundle"
