"""Unpacking on this host what a container sent.

The archive is the container's, hence hostile: names are walked component by component below an open directory and
no symbolic link is followed on the way, so that no entry lands outside it (the class of CVE-2018-15664).
"""

from __future__ import annotations

import os
import tarfile

from windlass.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
READ_BYTES = 1024 * 1024


class ChunkFile:
    """Chunks, readable as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""
        self.size = 0

    def read(self, size: int) -> bytes:
        """Return `size` bytes, or what is left."""
        while len(self._rest) < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self.size += len(chunk)
            self._rest += chunk
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def unpack(chunks: Iterator[bytes], directory: str, renamed: Callable[[str], str], *, owners: bool) -> int:
    """Unpack a tar stream into `directory` and return its size in bytes; raises CliError.

    `renamed` gives every entry its name; owners are only kept when asked for.
    """
    source = ChunkFile(chunks)
    try:
        root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        raise CliError(f'invalid output path: directory "{directory}" does not exist') from None
    try:
        unpacker = _Unpacker(root, renamed, owners=owners)
        with tarfile.open(fileobj=source, mode="r|") as archive:  # type: ignore[call-overload]
            for member in archive:
                unpacker.take(archive, member)
        unpacker.finish()
    except tarfile.TarError as error:
        raise CliError(f"broken archive: {error}") from None
    except OSError as error:
        raise CliError(f"cannot write to {directory}: {error}") from None
    finally:
        os.close(root)
    return source.size


class _Unpacker:
    def __init__(self, root: int, renamed: Callable[[str], str], *, owners: bool) -> None:
        self._root = root
        self._renamed = renamed
        self._owners = owners
        self._directories: list[tuple[str, tarfile.TarInfo]] = []

    def take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Make one entry."""
        name = self._renamed(member.name)
        parts = _parts(name)
        if not parts:
            self._directories.append((".", member))
            return
        parent = self._descend(parts[:-1])
        try:
            self._make(archive, member, parent, parts[-1])
        finally:
            os.close(parent)
        if member.isdir():
            self._directories.append(("/".join(parts), member))

    def finish(self) -> None:
        """Give directories their modes and times, now that nothing is written into them any more."""
        for name, member in reversed(self._directories):
            fd = self._descend(_parts(name))
            try:
                self._dress(fd, member)
            finally:
                os.close(fd)

    def _descend(self, parts: list[str]) -> int:
        fd = os.dup(self._root)
        for part in parts:
            try:
                following = os.open(part, DIRECTORY, dir_fd=fd)
            except FileNotFoundError:
                os.mkdir(part, 0o755, dir_fd=fd)
                following = os.open(part, DIRECTORY, dir_fd=fd)
            finally:
                os.close(fd)
            fd = following
        return fd

    def _make(self, archive: tarfile.TarFile, member: tarfile.TarInfo, parent: int, name: str) -> None:
        if member.isdir():
            if not _is_directory(parent, name):
                _remove(parent, name)
                os.mkdir(name, 0o700, dir_fd=parent)
            return
        _remove(parent, name)
        if member.issym():
            os.symlink(member.linkname, name, dir_fd=parent)
            os.utime(name, (member.mtime, member.mtime), dir_fd=parent, follow_symlinks=False)
        elif member.islnk():
            self._link(member, parent, name)
        elif member.isreg():
            self._file(archive, member, parent, name)
        elif member.isfifo():
            os.mkfifo(name, member.mode & 0o7777, dir_fd=parent)
        elif member.ischr() or member.isblk():
            kind = 0o020000 if member.ischr() else 0o060000
            os.mknod(name, member.mode & 0o7777 | kind, os.makedev(member.devmajor, member.devminor), dir_fd=parent)

    def _link(self, member: tarfile.TarInfo, parent: int, name: str) -> None:
        parts = _parts(self._renamed(member.linkname))
        other = self._descend(parts[:-1])
        try:
            os.link(parts[-1], name, src_dir_fd=other, dst_dir_fd=parent, follow_symlinks=False)
        finally:
            os.close(other)

    def _file(self, archive: tarfile.TarFile, member: tarfile.TarInfo, parent: int, name: str) -> None:
        fd = os.open(name, NEW_FILE, 0o600, dir_fd=parent)
        try:
            content = archive.extractfile(member)
            assert content is not None
            while piece := content.read(READ_BYTES):
                view = memoryview(piece)
                while view:
                    view = view[os.write(fd, view) :]
            self._dress(fd, member)
        finally:
            os.close(fd)

    def _dress(self, fd: int, member: tarfile.TarInfo) -> None:
        """Set owner, mode and time, in this order: a change of owner clears the set-user-id bit."""
        if self._owners:
            os.fchown(fd, member.uid, member.gid)
        os.fchmod(fd, member.mode & 0o7777)
        os.utime(fd, (member.mtime, member.mtime))


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise CliError(f"unexpected archive entry: {name}")
    return parts


def _is_directory(parent: int, name: str) -> bool:
    try:
        os.close(os.open(name, DIRECTORY, dir_fd=parent))
    except OSError:
        return False
    return True


def _remove(parent: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        return
