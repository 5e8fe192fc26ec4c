"""Mounts as values: computed here and there, made only by init."""

from __future__ import annotations

import msgspec


class OverlayMount(msgspec.Struct, frozen=True):
    """An overlay to be mounted. `lower` is top first and relative to `base`; the other two are absolute.

    `options` are passed on as they are. Without `upper` the result is read-only.

    Source: kernel overlayfs.rst, "Multiple lower layers".
    """

    base: str
    lower: tuple[str, ...]
    upper: str = ""
    work: str = ""
    options: tuple[str, ...] = ()
