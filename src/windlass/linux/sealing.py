"""A program copied into memory that nobody can write.

Imports next to nothing: a command of a few milliseconds does this first.

Source: memfd_create(2), fcntl(2), "File Sealing".
"""

from __future__ import annotations

import fcntl
import posix

_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_TRIES = 50
_PAUSE_S = 0.02
_EBUSY = 16


def seal_executable(path: str) -> int:
    """Copy the program at `path` into a sealed memfd and return it, fit for `/proc/self/fd/N`.

    A container that reaches `/proc/<pid>/exe` of a process run from it finds a file that nobody can write
    (CVE-2019-5736).
    """
    memfd = posix.memfd_create(path.rpartition("/")[2], posix.MFD_CLOEXEC | posix.MFD_ALLOW_SEALING)
    try:
        source = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
        try:
            left = posix.fstat(source).st_size
            while left > 0 and (copied := posix.sendfile(memfd, source, None, left)):
                left -= copied
        finally:
            posix.close(source)
        posix.fchmod(memfd, 0o500)
        _seal(memfd)
    except BaseException:
        posix.close(memfd)
        raise
    return memfd


def _seal(memfd: int) -> None:
    """Seal against every change. On a busy host the kernel finds a page in use for longer than it cares to wait."""
    for _ in range(_TRIES - 1):
        try:
            fcntl.fcntl(memfd, fcntl.F_ADD_SEALS, _SEALS)
            return
        except OSError as error:
            if error.errno != _EBUSY:
                raise
            import time

            time.sleep(_PAUSE_S)
    fcntl.fcntl(memfd, fcntl.F_ADD_SEALS, _SEALS)
