"""Lowered containers on a real kernel."""

from __future__ import annotations

from tests.support.fixtures import bench, busybox_root

__all__ = ["bench", "busybox_root"]
