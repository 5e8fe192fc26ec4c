"""Puts an archive's entries into a tree that is in use, as `docker cp` does: what is there is replaced, or merged.

For a process that is chrooted to the tree: a running container may rename and link under our hands, and then its own
files are all that it moves. Nothing is opened by a name that may be a link; nothing existing is written through.

Source: moby, pkg/archive, Unpack.
"""

from __future__ import annotations

import errno
import os
import stat

from msgspec import structs

from windlass.archive import attributes, make
from windlass.archive.entry import Kind, TarEntry
from windlass.archive.errors import EntryRefused, TooLarge
from windlass.archive.paths import clean
from windlass.archive.reader import TarReader
from windlass.archive.source import Readable
from windlass.archive.tree import Tree
from windlass.base.errors import InvalidParameter, System, WindlassError
from windlass.linux.fs import is_mount_point

_MAX_ID = (1 << 32) - 2
_NODE_TYPES = {Kind.CHAR: stat.S_IFCHR, Kind.BLOCK: stat.S_IFBLK, Kind.FIFO: stat.S_IFIFO}
# What the entry is to blame for, not the host.
_ENTRY_ERRNOS = frozenset((errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENOENT))


def extract(
    stream: Readable,
    directory_fd: int,
    shown: str,
    *,
    no_overwrite: bool = False,
    owner: tuple[int, int] | None = None,
    max_entries: int = 8_000_000,
) -> int:
    """Put the uncompressed tar `stream` into a directory, and read it to its end; return the number of entries.

    `shown` is the directory's path, for messages. With `no_overwrite` a directory is never replaced by something else,
    nor the other way round. `owner` (uid, gid) gets everything, if there is one. What was put before an error stays.

    Raises:
        EntryRefused, InvalidParameter: an entry leaves the directory, cannot exist or must not replace what is there.
        TarCorrupt, TarTruncated, TooLarge: the archive is not whole, or has more than `max_entries`.
        System: the host refused.
    """
    with Tree(directory_fd, chrooted=True) as tree:
        return _Extraction(tree, TarReader(stream), shown, no_overwrite, owner).run(max_entries)


class _Extraction:
    def __init__(
        self, tree: Tree, reader: TarReader, shown: str, no_overwrite: bool, owner: tuple[int, int] | None
    ) -> None:
        self._tree = tree
        self._reader = reader
        self._shown = shown
        self._no_overwrite = no_overwrite
        self._owner = owner
        self._directory_times: dict[bytes, int] = {}

    def run(self, max_entries: int) -> int:
        count = 0
        for entry in self._reader:
            count += 1
            if count + self._tree.implied > max_entries:
                raise TooLarge("number of archive entries", max_entries)
            try:
                self._take(entry)
            except OSError as error:
                raise self._explained(error, entry) from error
        self._set_directory_times()
        self._reader.drain()
        return count

    def _explained(self, error: OSError, entry: TarEntry) -> WindlassError:
        number = error.errno or 0
        if number in (errno.ENOSPC, errno.EDQUOT):
            return System("no space left on device")
        text = f"{self._path(entry)}: {os.strerror(number).lower()}"
        if number == errno.EBUSY:
            return System(f"unlinkat {text}")
        return InvalidParameter(text) if number in _ENTRY_ERRNOS else System(text)

    def _path(self, entry: TarEntry) -> str:
        name = entry.name[:256].decode("utf-8", "backslashreplace").strip("/")
        return f"{self._shown.rstrip('/')}/{name}"

    def _take(self, entry: TarEntry) -> None:
        try:
            path = clean(entry.name)
        except EntryRefused:
            if b".." not in entry.name.split(b"/"):
                raise
            name = entry.name[:256].decode("utf-8", "backslashreplace")
            raise InvalidParameter(f'"{name}" is outside of "{self._shown}"') from None
        if not path:
            # The directory itself stays as it is.
            return
        if entry.uid > _MAX_ID or entry.gid > _MAX_ID:
            raise EntryRefused(entry.name, f"owner {entry.uid}:{entry.gid} is out of range")
        if self._owner is not None:
            entry = structs.replace(entry, uid=self._owner[0], gid=self._owner[1])
        parent, _, base = path.rpartition(b"/")
        parent_fd = self._tree.directory(parent)
        self._make_room(entry, parent_fd, base)
        self._make(entry, parent_fd, base)
        if entry.kind is Kind.DIRECTORY:
            self._directory_times[path] = attributes.bounded_time(entry.mtime_ns)

    def _make_room(self, entry: TarEntry, parent_fd: int, base: bytes) -> None:
        try:
            there = stat.S_ISDIR(os.lstat(base, dir_fd=parent_fd).st_mode)
        except FileNotFoundError:
            return
        wanted = entry.kind is Kind.DIRECTORY
        if self._no_overwrite and there != wanted:
            old, new = ("directory", "non-directory") if there else ("non-directory", "directory")
            raise InvalidParameter(f'cannot overwrite {old} "{self._path(entry)}" with {new} "{self._shown}"')
        if there and wanted:
            return
        # Seen from another mount namespace than the container's, the kernel would let it go, mount and all.
        if is_mount_point(parent_fd, base):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        self._tree.remove(parent_fd, base)

    def _make(self, entry: TarEntry, parent_fd: int, base: bytes) -> None:
        kind = entry.kind
        if kind is Kind.FILE:
            make.make_file(self._reader, entry, parent_fd, base)
        elif kind is Kind.DIRECTORY:
            make.make_directory(entry, parent_fd, base)
        elif kind is Kind.SYMLINK:
            make.make_symlink(entry, parent_fd, base)
        elif kind is Kind.HARDLINK:
            make.make_link(self._tree, entry, parent_fd, base)
        else:
            _make_node(entry, parent_fd, base)

    def _set_directory_times(self) -> None:
        for path, mtime_ns in reversed(self._directory_times.items()):
            parent, _, base = path.rpartition(b"/")
            parent_fd = self._tree.existing_directory(parent)
            if parent_fd is None:
                continue
            try:
                attributes.set_time_by_name(parent_fd, base, mtime_ns)
            except OSError:
                # Replaced by a later entry or by the container; its time is no reason to fail.
                continue


def _make_node(entry: TarEntry, parent_fd: int, base: bytes) -> None:
    """Make a node with its mode at once: to change that by name could change another file of the container."""
    device = make.device_number(entry)
    os.mknod(base, _NODE_TYPES[entry.kind] | entry.mode, device, dir_fd=parent_fd)
    attributes.set_by_name(parent_fd, base, entry, mode=False)
