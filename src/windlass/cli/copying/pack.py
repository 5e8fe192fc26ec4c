"""A tar stream of one path of this host."""

from __future__ import annotations

import os
import tarfile

from windlass.cli.create.files import go_error
from windlass.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

READ_BYTES = 1024 * 1024
END = bytes(2 * tarfile.BLOCKSIZE)


def tar_stream(path: str, name: str) -> Iterator[bytes]:
    """Yield an archive of `path`, which is called `name` in it; raises CliError for what cannot be read.

    Source: POSIX.1-2001, pax interchange format.
    """
    for place, entry in _walk(path, name):
        info = _member(place, entry)
        if info is None:
            continue
        yield info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        if info.isreg():
            yield from _content(place, info.size)
    yield END


def _walk(path: str, name: str) -> Iterator[tuple[str, str]]:
    yield path, name
    if (os.path.islink(path.rstrip("/")) and not path.endswith(("/", "/."))) or not os.path.isdir(path):
        return
    try:
        children = sorted(os.listdir(path))
    except OSError as error:
        raise CliError(go_error("open", path, error)) from None
    for child in children:
        yield from _walk(f"{path.rstrip('/')}/{child}", f"{name}/{child}")


def _member(path: str, name: str) -> tarfile.TarInfo | None:
    try:
        facts = os.lstat(path)
        info = tarfile.TarInfo(name)
        info.mode = facts.st_mode & 0o7777
        info.uid, info.gid, info.mtime = facts.st_uid, facts.st_gid, facts.st_mtime
        kind = facts.st_mode & 0o170000
        if kind == 0o100000:
            info.size = facts.st_size
        elif kind == 0o040000:
            info.type = tarfile.DIRTYPE
        elif kind == 0o120000:
            info.type, info.linkname = tarfile.SYMTYPE, os.readlink(path)
        elif kind == 0o010000:
            info.type = tarfile.FIFOTYPE
        elif kind in (0o020000, 0o060000):
            info.type = tarfile.CHRTYPE if kind == 0o020000 else tarfile.BLKTYPE
            info.devmajor, info.devminor = os.major(facts.st_rdev), os.minor(facts.st_rdev)
        else:
            return None  # a socket has no form in an archive
    except OSError as error:
        raise CliError(go_error("lstat", path, error)) from None
    return info


def _content(path: str, size: int) -> Iterator[bytes]:
    """Yield exactly `size` bytes and the padding: a file that shrinks meanwhile is filled up with zeros."""
    left = size
    try:
        with open(path, "rb", buffering=0) as file:
            while left and (piece := file.read(min(left, READ_BYTES))):
                left -= len(piece)
                yield piece
    except OSError as error:
        raise CliError(go_error("open", path, error)) from None
    while left:
        fill = min(left, READ_BYTES)
        left -= fill
        yield bytes(fill)
    yield bytes(-size % tarfile.BLOCKSIZE)
