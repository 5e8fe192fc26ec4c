"""Whiteouts: how a layer says that something below it is gone.

In a tar they are empty files: `.wh.NAME` hides NAME, `.wh..wh..opq` hides everything a directory had. On overlay they
are a 0/0 character device and an xattr. Source: OCI image-spec v1.1, layer.md, "Whiteouts"; kernel overlayfs.rst.
"""

from __future__ import annotations

from enum import Enum

from windlass.archive.errors import EntryRefused

PREFIX = b".wh."
META_PREFIX = b".wh..wh."
OPAQUE = b".wh..wh..opq"

OVERLAY_OPAQUE_XATTR = b"trusted.overlay.opaque"
OVERLAY_XATTR_PREFIXES = (b"trusted.overlay.", b"user.overlay.")

_NOT_NAMES = frozenset((b"", b".", b".."))


class Meaning(Enum):
    """What a name says by its whiteout prefix."""

    PLAIN = "plain"
    WHITEOUT = "whiteout"
    OPAQUE = "opaque"
    # What AUFS kept for itself: not content, not a whiteout.
    META = "meta"


def meaning(path: bytes) -> Meaning:
    """Classify a cleaned path.

    Raises:
        EntryRefused: the whiteout is of `.`, `..` or nothing, or a whiteout is used as a directory.
    """
    if PREFIX not in path:
        return Meaning.PLAIN
    *parents, base = path.split(b"/")
    if any(parent.startswith(META_PREFIX) for parent in parents):
        return Meaning.META
    if any(parent.startswith(PREFIX) for parent in parents):
        raise EntryRefused(path, "a whiteout is used as a directory")
    if not base.startswith(PREFIX):
        return Meaning.PLAIN
    if base == OPAQUE:
        return Meaning.OPAQUE
    if base[len(PREFIX) :] in _NOT_NAMES:
        raise EntryRefused(path, "whiteout of no name")
    return Meaning.META if base.startswith(META_PREFIX) else Meaning.WHITEOUT


def hidden_name(base: bytes) -> bytes:
    """Return the name that the whiteout `base` hides."""
    return base[len(PREFIX) :]
