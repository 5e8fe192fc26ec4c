"""Real launches, without engine and images."""

from __future__ import annotations

from tests.support.fixtures import bench, busybox_root

__all__ = ["bench", "busybox_root"]
