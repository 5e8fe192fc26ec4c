"""Makes one thing of each kind in an open directory. A name that exists raises FileExistsError, and stays as it is."""

from __future__ import annotations

import os
import stat

from windlass.archive import attributes
from windlass.archive.entry import Kind, TarEntry
from windlass.archive.errors import EntryRefused
from windlass.archive.paths import PATH_MAX, clean
from windlass.archive.reader import TarReader
from windlass.archive.tree import Tree
from windlass.linux.fs import linkat

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NODE_TYPES = {Kind.CHAR: stat.S_IFCHR, Kind.BLOCK: stat.S_IFBLK, Kind.FIFO: stat.S_IFIFO}
_MAJOR_LIMIT = 1 << 12
_MINOR_LIMIT = 1 << 20


def make_file(reader: TarReader, entry: TarEntry, dir_fd: int, base: bytes) -> int:
    """Make a regular file with the reader's present data; return how many xattrs were left out.

    Raises:
        FileExistsError: before any data is read.
        EntryRefused: an xattr is overlay's own.
        TarTruncated: the data ends early.
        OSError: the kernel refused.
    """
    fd = os.open(base, _CREATE, 0o600, dir_fd=dir_fd)
    try:
        if entry.sparse is not None:
            _write_sparse(reader, fd, entry)
        elif entry.size_bytes:
            _write(reader, fd, entry.size_bytes)
        skipped = attributes.set_by_fd(fd, entry)
        mtime_ns = attributes.bounded_time(entry.mtime_ns)
        os.utime(fd, ns=(mtime_ns, mtime_ns))
    finally:
        os.close(fd)
    return skipped


def _write(reader: TarReader, fd: int, count: int) -> None:
    while count:
        view = reader.read_view(count)
        count -= len(view)
        written = os.write(fd, view)
        while written < len(view):
            written += os.write(fd, view[written:])


def _write_sparse(reader: TarReader, fd: int, entry: TarEntry) -> None:
    os.ftruncate(fd, entry.size_bytes)
    for run in entry.sparse or ():
        os.lseek(fd, run.offset, os.SEEK_SET)
        _write(reader, fd, run.length)


def make_link(tree: Tree, entry: TarEntry, dir_fd: int, base: bytes) -> None:
    """Make a hard link to a file below the root; the attributes of the file stay (CVE-2026-17106: never outside).

    Raises:
        FileExistsError: `base` is there.
        EntryRefused: the target leaves the root, is missing or may not be linked.
        OSError: the kernel refused.
    """
    target_parent, _, target_base = clean(entry.linkname).rpartition(b"/")
    target_fd = tree.existing_directory(target_parent) if target_base else None
    if target_fd is None:
        raise EntryRefused(entry.name, "hard link to nothing")
    try:
        linkat(target_fd, target_base, dir_fd, base)
    except FileNotFoundError:
        raise EntryRefused(entry.name, "hard link to nothing") from None
    except PermissionError:
        raise EntryRefused(entry.name, "hard link to a directory or an immutable file") from None


def make_symlink(entry: TarEntry, dir_fd: int, base: bytes) -> None:
    """Make a symbolic link, whose target is data: where it leads is decided by whoever follows it.

    Raises:
        FileExistsError: `base` is there.
        EntryRefused: the target is empty or too long.
        OSError: the kernel refused.
    """
    if not 0 < len(entry.linkname) < PATH_MAX or b"\0" in entry.linkname:
        raise EntryRefused(entry.name, "invalid target of a symbolic link")
    os.symlink(entry.linkname, base, dir_fd=dir_fd)
    attributes.set_by_name(dir_fd, base, entry, mode=False)


def make_node(entry: TarEntry, dir_fd: int, base: bytes) -> None:
    """Make a device node or FIFO.

    Raises:
        FileExistsError: `base` is there.
        EntryRefused: the device is 0/0, which overlay takes for a whiteout, or does not exist on Linux.
        OSError: the kernel refused.
    """
    os.mknod(base, _NODE_TYPES[entry.kind] | 0o600, device_number(entry), dir_fd=dir_fd)
    attributes.set_by_name(dir_fd, base, entry, mode=True)


def device_number(entry: TarEntry) -> int:
    """Return the number of the device that an entry is; 0 for a FIFO.

    Raises:
        EntryRefused: the device is 0/0, which overlay takes for a whiteout, or does not exist on Linux.
    """
    if entry.kind is Kind.FIFO:
        return 0
    if entry.major == entry.minor == 0:
        raise EntryRefused(entry.name, "device 0/0 is overlay's whiteout")
    if entry.major >= _MAJOR_LIMIT or entry.minor >= _MINOR_LIMIT:
        raise EntryRefused(entry.name, f"device {entry.major}/{entry.minor} is out of range")
    return os.makedev(entry.major, entry.minor)


def make_directory(entry: TarEntry, dir_fd: int, base: bytes) -> int:
    """Make a directory, or take the one that is there; return how many xattrs were left out. Its time is set later.

    Raises:
        FileExistsError: `base` is there and is no directory.
        EntryRefused: an xattr is overlay's own.
        OSError: the kernel refused.
    """
    try:
        os.mkdir(base, 0o700, dir_fd=dir_fd)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(base, dir_fd=dir_fd).st_mode):
            raise
    fd = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        return attributes.set_by_fd(fd, entry)
    finally:
        os.close(fd)
