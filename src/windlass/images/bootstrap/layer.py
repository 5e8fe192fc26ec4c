"""The tar of a root file system, the same for the same files: sorted names, numeric owners, times clamped.

Source: OCI image-spec v1.1, layer.md.
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
from types import TracebackType

# Extended attributes that belong in an image.  Source: capabilities(7), "File capabilities".
_KEPT_XATTRS = ("security.capability",)


class LayerWriter:
    """Writes entries, in the order given, to the tar `path`. A context manager: leaving it ends the tar."""

    def __init__(self, path: str) -> None:
        self._tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def __enter__(self) -> LayerWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._tar.close()

    def directory(self, name: str, mtime_s: int, mode: int = 0o755) -> None:
        """Add a directory of root."""
        self._tar.addfile(_entry(name, tarfile.DIRTYPE, mode, mtime_s))

    def file(self, name: str, content: bytes, mtime_s: int, mode: int = 0o644) -> None:
        """Add a regular file of root."""
        entry = _entry(name, tarfile.REGTYPE, mode, mtime_s)
        entry.size = len(content)
        self._tar.addfile(entry, io.BytesIO(content))

    def symlink(self, name: str, target: str, mtime_s: int) -> None:
        """Add a symbolic link."""
        entry = _entry(name, tarfile.SYMTYPE, 0o777, mtime_s)
        entry.linkname = target
        self._tar.addfile(entry)

    def tree(self, root: str, newest_s: int) -> None:
        """Add everything below the directory `root`, by name; no time is later than `newest_s`."""
        for directory, subdirectories, files in os.walk(root):
            subdirectories.sort()
            for name in sorted([*files, *(each for each in subdirectories)]):
                path = os.path.join(directory, name)
                self._add(path, os.path.relpath(path, root), newest_s)

    def _add(self, path: str, name: str, newest_s: int) -> None:
        entry = self._tar.gettarinfo(path, arcname=name)
        if entry is None:  # a socket
            return
        entry.mtime = min(int(entry.mtime), newest_s)
        entry.uname = entry.gname = ""
        if not entry.isreg():
            self._tar.addfile(entry)
            return
        for attribute in _KEPT_XATTRS:
            if attribute in os.listxattr(path):
                value = os.getxattr(path, attribute).decode("utf-8", "surrogateescape")
                entry.pax_headers = {**entry.pax_headers, f"SCHILY.xattr.{attribute}": value}
        with open(path, "rb") as content:
            self._tar.addfile(entry, content)


def _entry(name: str, kind: bytes, mode: int, mtime_s: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, stat.S_IMODE(mode), mtime_s
    return entry
