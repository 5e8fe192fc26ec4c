"""Messages of progress streams, as dockerd words them. Source: Engine API, "ImageCreate"; docker's jsonmessage."""

from __future__ import annotations

import time

from windlass.images.image import Progress

_BAR_WIDTH = 50
_INTERVAL_S = 0.1
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def human_size(size_bytes: float) -> str:
    """Return a size in decimal units with four digits: 1.069MB."""
    unit = 0
    while size_bytes >= 1000 and unit < len(_UNITS) - 1:
        size_bytes /= 1000
        unit += 1
    return f"{size_bytes:.4g}{_UNITS[unit]}"


def _bar(current: int, total: int) -> str:
    if total <= 0:
        return human_size(current)
    half = min(_BAR_WIDTH, current * _BAR_WIDTH // total)
    blanks = " " * (_BAR_WIDTH - half)
    return f"[{'=' * half}>{blanks}] {human_size(current):>8}/{human_size(total)}"


class LayerProgress:
    """The messages about one layer; `id` is its short id."""

    def __init__(self, progress: Progress, layer_id: str) -> None:
        self._progress = progress
        self._id = layer_id
        self._next_s = 0.0

    def say(self, status: str) -> None:
        """Tell a state without figures: `Pull complete`."""
        self._progress({"status": status, "progressDetail": {}, "id": self._id})

    def count(self, status: str, current: int, total: int) -> None:
        """Tell how far it is, in bytes; ten times a second at most, and always when it is done."""
        now_s = time.monotonic()
        if current < total and now_s < self._next_s:
            return
        self._next_s = now_s + _INTERVAL_S
        detail = {"current": current, "total": total}
        self._progress({"status": status, "progressDetail": detail, "progress": _bar(current, total), "id": self._id})
