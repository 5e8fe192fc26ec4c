"""Writes a directory tree as a tar: a whole root, or the upper directory of an overlay as a layer.

No symbolic link is followed, and no path is resolved by name: the tree may be a running container's.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass

from windlass.archive import whiteouts
from windlass.archive.attributes import bounded_time
from windlass.archive.entry import Kind, TarEntry
from windlass.archive.writer import TarWriter
from windlass.linux.fs import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, openat2

_RESOLVE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS
_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.DIRECTORY,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFCHR: Kind.CHAR,
    stat.S_IFBLK: Kind.BLOCK,
    stat.S_IFIFO: Kind.FIFO,
}
_SECOND_NS = 1_000_000_000
_KEPT_XATTRS = (b"security.capability", b"user.")
# A link, or a socket, where something else was.
_GONE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL, errno.ENXIO))
_NO_XATTRS = frozenset((errno.ENODATA, errno.EOPNOTSUPP, errno.EPERM))


@dataclass(frozen=True, slots=True)
class PackOptions:
    """How a tree is packed.

    Names start with `prefix`. With `overlay` the tree is an overlay's upper directory: its marks become whiteouts.
    With `with_root` the directory itself is the first entry, called `prefix`. `excluded` are paths that are left out.
    `hides` tells of a directory (open for reading) whether what is in it is left out. `reopen_fd` is a directory of
    this process's descriptors by number, as /proc/self/fd: where devices would open, files are opened through it only
    after they were seen to be files.
    """

    prefix: bytes = b""
    overlay: bool = False
    with_root: bool = False
    excluded: frozenset[bytes] = frozenset()
    hides: Callable[[int], bool] | None = None
    reopen_fd: int = -1


def pack_tree(root_fd: int, writer: TarWriter, *, prefix: bytes = b"", overlay: bool = False) -> int:
    """Write all below the directory `root_fd` (open for reading), in the order of names; return the files' bytes.

    Sockets are left out, times are cut to seconds, as the peers do. The archive is not finished.

    Raises:
        EntryRefused: a tar cannot say it.
        OSError: of reading or of the sink.
    """
    return pack(root_fd, writer, PackOptions(prefix, overlay))


def pack(root_fd: int, writer: TarWriter, options: PackOptions) -> int:
    """Write all below a directory as `pack_tree` does, with more to choose from."""
    return _Packing(root_fd, writer, options).run()


def pack_one(parent_fd: int, name: bytes, writer: TarWriter, options: PackOptions) -> int:
    """Write what `name` in a directory is, without following it; return its bytes. One that is gone is left out.

    Raises:
        EntryRefused: a tar cannot say it.
        OSError: of reading or of the sink.
    """
    return _Packing(parent_fd, writer, options).run_one(name)


class _Packing:
    def __init__(self, root_fd: int, writer: TarWriter, options: PackOptions) -> None:
        self._root_fd = root_fd
        self._writer = writer
        self._prefix = options.prefix
        self._overlay = options.overlay
        self._options = options
        self._links: dict[tuple[int, int], bytes] = {}
        self._size_bytes = 0
        self._parent = b""
        self._parent_fd = os.dup(root_fd)

    def run_one(self, name: bytes) -> int:
        try:
            self._pack(name)
        finally:
            os.close(self._parent_fd)
        return self._size_bytes

    def run(self) -> int:
        try:
            if self._options.with_root:
                status = os.fstat(self._root_fd)
                self._writer.add(self._described(b"", Kind.DIRECTORY, status, xattrs=_xattrs(self._root_fd)))
            waiting = self._children(b"")
            while waiting:
                path = waiting.pop()
                if self._pack(path):
                    waiting += self._children(path)
        finally:
            os.close(self._parent_fd)
        return self._size_bytes

    def _children(self, directory: bytes) -> list[bytes]:
        """Return the paths in a directory, last name first; write the whiteout that makes it opaque."""
        try:
            self._enter(directory)
        except OSError as error:
            _gone(error)
            return []
        start = directory + b"/" if directory else b""
        if self._overlay and _is_opaque(self._parent_fd):
            self._writer.add(TarEntry(name=self._prefix + start + whiteouts.OPAQUE, kind=Kind.FILE, mode=0))
        if self._options.hides is not None and self._options.hides(self._parent_fd):
            return []
        names = sorted((os.fsencode(name) for name in os.listdir(self._parent_fd)), reverse=True)
        return [start + name for name in names if start + name not in self._options.excluded]

    def _enter(self, directory: bytes) -> None:
        if directory == self._parent:
            return
        fd = openat2(self._root_fd, directory or b".", os.O_RDONLY | os.O_DIRECTORY, resolve=_RESOLVE)
        os.close(self._parent_fd)
        self._parent, self._parent_fd = directory, fd

    def _pack(self, path: bytes) -> bool:
        """Write one entry; tell whether it is a directory."""
        parent, _, base = path.rpartition(b"/")
        try:
            self._enter(parent)
            status = os.lstat(base, dir_fd=self._parent_fd)
        except OSError as error:
            return _gone(error)
        kind = _KINDS.get(stat.S_IFMT(status.st_mode))
        if kind is None:
            return False
        if kind is Kind.CHAR and status.st_rdev == 0 and self._overlay:
            hidden = path[: len(path) - len(base)] + whiteouts.PREFIX + base
            self._writer.add(TarEntry(name=self._prefix + hidden, kind=Kind.FILE, mode=0))
            return False
        if kind is Kind.FILE:
            self._pack_file(path, base, status)
            return False
        try:
            entry = self._entry(path, base, kind, status)
        except OSError as error:
            return _gone(error)
        self._writer.add(entry)
        return kind is Kind.DIRECTORY

    def _pack_file(self, path: bytes, base: bytes, status: os.stat_result) -> None:
        key = (status.st_dev, status.st_ino)
        if status.st_nlink > 1 and (first := self._links.get(key)) is not None:
            self._writer.add(self._described(path, Kind.HARDLINK, status, linkname=self._prefix + first))
            return
        try:
            fd = self._open_file(base)
        except OSError as error:
            _gone(error)
            return
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                return
            entry = self._described(path, Kind.FILE, status, size_bytes=status.st_size, xattrs=_xattrs(fd))
            self._writer.add_from(entry, fd)
        finally:
            os.close(fd)
        self._links[key] = path
        self._size_bytes += status.st_size

    def _open_file(self, base: bytes) -> int:
        """Open what was a file; it may have become a FIFO, which must not block, or a device, which must not open."""
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        if self._options.reopen_fd < 0:
            return os.open(base, flags | os.O_NOFOLLOW, dir_fd=self._parent_fd)
        found = os.open(base, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._parent_fd)
        if not stat.S_ISREG(os.fstat(found).st_mode):
            return found
        try:
            return os.open(b"%d" % found, flags, dir_fd=self._options.reopen_fd)
        finally:
            os.close(found)

    def _entry(self, path: bytes, base: bytes, kind: Kind, status: os.stat_result) -> TarEntry:
        if kind is Kind.DIRECTORY:
            fd = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._parent_fd)
            try:
                return self._described(path + b"/", kind, status, xattrs=_xattrs(fd))
            finally:
                os.close(fd)
        if kind is Kind.SYMLINK:
            return self._described(path, kind, status, linkname=os.readlink(base, dir_fd=self._parent_fd))
        return self._described(path, kind, status)

    def _described(
        self,
        path: bytes,
        kind: Kind,
        status: os.stat_result,
        *,
        linkname: bytes = b"",
        size_bytes: int = 0,
        xattrs: dict[bytes, bytes] | None = None,
    ) -> TarEntry:
        device = kind in (Kind.CHAR, Kind.BLOCK)
        return TarEntry(
            name=self._prefix + path,
            kind=kind,
            mode=stat.S_IMODE(status.st_mode),
            uid=status.st_uid,
            gid=status.st_gid,
            size_bytes=size_bytes,
            stored_bytes=size_bytes,
            # What cannot be unpacked is not packed: a layer must give the same archive again.
            mtime_ns=bounded_time(status.st_mtime_ns // _SECOND_NS * _SECOND_NS),
            linkname=linkname,
            major=os.major(status.st_rdev) if device else 0,
            minor=os.minor(status.st_rdev) if device else 0,
            xattrs=xattrs or {},
        )


def _gone(error: OSError) -> bool:
    """Return False for what happens in a tree that is in use: gone, or something else now. Raise any other error."""
    if error.errno not in _GONE:
        raise error
    return False


def _is_opaque(fd: int) -> bool:
    try:
        return os.getxattr(fd, whiteouts.OVERLAY_OPAQUE_XATTR) == b"y"
    except OSError as error:
        if error.errno in _NO_XATTRS:
            return False
        raise


def _xattrs(fd: int) -> dict[bytes, bytes]:
    """Return what a layer keeps of the extended attributes: `user.*` and file capabilities."""
    found = {}
    try:
        for name in os.listxattr(fd):
            raw = os.fsencode(name)
            if raw.startswith(_KEPT_XATTRS) and not raw.startswith(whiteouts.OVERLAY_XATTR_PREFIXES):
                found[raw] = os.getxattr(fd, name)
    except OSError as error:
        if error.errno not in _NO_XATTRS:
            raise
    return found
