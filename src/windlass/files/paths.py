"""Paths of requests, as dockerd reads them: `.` and `/` at the end mean something.

Source: moby, daemon/archive.go and pkg/archive/copy.go: a path is looked up in two parts, the directory through every
symbolic link, the last component as it is.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestedPath:
    """A path in a container. `absolute` is cleaned, and keeps a `/.` or `/` at its end."""

    absolute: str

    @property
    def directory(self) -> bytes:
        """What its last component is in, relative to the root; `.` for the root itself."""
        return _relative(self.absolute.rpartition("/")[0])

    @property
    def base(self) -> str:
        """The last component; empty after a slash."""
        return self.absolute.rpartition("/")[2]

    @property
    def whole(self) -> bytes:
        """All of it, relative to the root."""
        return _relative(self.absolute)

    @property
    def name(self) -> str:
        """What the path is called in an archive: `/` for the root, `.` after `/.`."""
        return self.absolute.rstrip("/").rpartition("/")[2] or "/"


def requested(path: str) -> RequestedPath:
    """Return the path that a request means. Neither `..` nor a missing slash leads anywhere else than into the root."""
    cleaned = posixpath.normpath(f"//{path}").replace("//", "/")
    last = path.rstrip("/").rpartition("/")[2]
    if last == "." and path:
        return RequestedPath(f"{cleaned.rstrip('/')}/.")
    if path.endswith("/") and cleaned != "/":
        return RequestedPath(f"{cleaned}/")
    return RequestedPath(cleaned)


def _relative(path: str) -> bytes:
    return path.strip("/").encode("utf-8", "surrogateescape") or b"."
