"""A log file that rotates by size: `path`, `path.1`, ... and compressed ones `path.N.gz`.

A block is whole or absent: what a full disk cut short is taken back. Compressing is a child's work, one at a time,
into `path.tmp`; its result gets its name here, since files may have moved on meanwhile. What could not be compressed
stays as it is: a flood of output rotates faster than anything compresses.

Source: RFC 1952, 2.3.1.1 (extra fields).
"""

from __future__ import annotations

import os
import signal
import sys
import zlib
from json.encoder import encode_basestring as _quote

from windlass.launch.poller import READ, Poller
from windlass.launch.side_process import close_others, fork_outside

_OPEN = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_GZIP_TIME = b"\x1f\x8b\x08\x04" + bytes(4) + b"\0\xff"
# The header says which file was compressed, so that a reader who was at it knows where to go on. An inode's number is
# used again: what the file begins with, which has a time in it, makes it unique.
_EXTRA = b"\x10\0WL\x0c\0"
_IDENTITY_BYTES = 12
_FIRST_BYTES = 128
_COPY_BYTES = 1 << 20


def identity(fd: int) -> bytes:
    """Return what tells a finished log file from any other that is or was in its place."""
    first = zlib.crc32(os.pread(fd, _FIRST_BYTES, 0))
    return os.fstat(fd).st_ino.to_bytes(8, "little") + first.to_bytes(4, "little")


def compressed_identity(fd: int) -> bytes:
    """Return the identity of the file that was compressed into this one; nothing when it was not by us."""
    start = _GZIP_TIME + _EXTRA
    header = os.pread(fd, len(start) + _IDENTITY_BYTES, 0)
    return header[len(start) :] if header.startswith(start) else b""


class RotatingFile:
    """Appends blocks. `max_size` in bytes, 0 is unlimited; `max_file` counts the current file too."""

    def __init__(self, path: str, max_size: int, max_file: int, *, compress: bool, poller: Poller | None) -> None:
        self._path = path
        self._max_size = max_size
        self._max_file = max(1, max_file)
        self._compress = compress and max_file > 1
        self._poller = poller
        self._compressor: _Compressor | None = None
        self._complained = False
        try:
            self._open()
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
            self._open()

    def _open(self) -> None:
        self._fd = os.open(self._path, _OPEN, 0o640)
        self._size = os.lseek(self._fd, 0, os.SEEK_END)

    def append(self, block: bytes) -> None:
        """Write records, into a new file if the current one would become too large."""
        if self._max_size and self._size and self._size + len(block) > self._max_size:
            self._rotate()
        try:
            view = memoryview(block)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            # A torn record would break every reader; the container itself goes on.
            os.ftruncate(self._fd, self._size)
            self._complain(error)
            return
        self._size += len(block)
        self._complained = False

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            sys.stderr.write(f"level=error msg={_quote(f'container log lost: {error}')} path={self._path}\n")
            sys.stderr.flush()

    def _rotate(self) -> None:
        """Move every file on by one; a disk that does not let us keeps the log in one file."""
        try:
            if self._max_file == 1:
                os.ftruncate(self._fd, 0)
                self._size = 0
                return
            _shift(self._path, self._max_file)
            old = self._fd
            self._open()
            os.close(old)
        except OSError as error:
            self._complain(error)
            return
        if self._compress:
            # Made when it is needed: most logs never rotate, and their supervisors stay small.
            self._compressor = self._compressor or _Compressor(self._path, self._max_file, self._poller)
            self._compressor.rotated()

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)
        if self._compressor is not None:
            self._compressor.stop()


def _shift(path: str, max_file: int) -> None:
    for suffix in ("", ".gz"):
        _unlink(f"{path}.{max_file - 1}{suffix}")
    for number in range(max_file - 1, 1, -1):
        for suffix in ("", ".gz"):
            _rename(f"{path}.{number - 1}{suffix}", f"{path}.{number}{suffix}")
    _rename(path, f"{path}.1")


def _rename(old: str, new: str) -> None:
    try:
        os.rename(old, new)
    except FileNotFoundError:
        pass


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


class _Compressor:
    """At most one child that compresses a rotated file."""

    def __init__(self, path: str, max_file: int, poller: Poller | None) -> None:
        self._path = path
        self._temporary = f"{path}.tmp"
        self._max_file = max_file
        self._poller = poller
        self._pid = 0
        self._pidfd = -1
        self._number = 0

    def rotated(self) -> None:
        """The files have moved on by one."""
        self._number += 1
        if not self._pid:
            self._next()

    def _next(self) -> None:
        """Compress the newest file that waits for it."""
        for number in range(1, self._max_file):
            try:
                source = os.open(f"{self._path}.{number}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except FileNotFoundError:
                continue
            self._start(source, number)
            return

    def _start(self, source: int, number: int) -> None:
        try:
            target = os.open(self._temporary, _OPEN | os.O_TRUNC, 0o640)
        except OSError:
            os.close(source)
            return
        try:
            self._pid = fork_outside()
        except OSError:
            os.close(source)
            os.close(target)
            return
        if not self._pid:
            _compress_and_exit(source, target)
        os.close(source)
        os.close(target)
        self._number = number
        if self._poller is None:
            self._ended()
            return
        self._pidfd = os.pidfd_open(self._pid)
        self._poller.watch(self._pidfd, READ, lambda _events: self._ended())

    def _ended(self) -> None:
        status = self._reap()
        # Rotated out meanwhile, or the disk is full.
        if status != 0 or self._number >= self._max_file:
            _unlink(self._temporary)
            return
        name = f"{self._path}.{self._number}"
        os.rename(self._temporary, f"{name}.gz")
        _unlink(name)
        self._next()

    def _reap(self) -> int:
        if self._pidfd >= 0:
            if self._poller is not None:
                self._poller.forget(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1
        pid, self._pid = self._pid, 0
        try:
            return os.waitpid(pid, 0)[1]
        except ChildProcessError:
            # Reaped with the children of another runtime: nobody knows how it ended.
            return -1

    def stop(self) -> None:
        """End the child; the next run of the container compresses the file."""
        if self._pid:
            try:
                os.kill(self._pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._reap()
            _unlink(self._temporary)


def _compress_and_exit(source: int, target: int) -> None:
    """Compress one file into another; runs in a child, and never returns."""
    status = 1
    try:
        os.nice(10)
        close_others(source, target, 2)
        _compress(source, target)
        status = 0
    except OSError as error:
        sys.stderr.write(f"level=warning msg={_quote(f'log not compressed: {error}')}\n")
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _compress(source: int, target: int) -> None:
    # Imported by the child alone: a supervisor shall stay small.
    from isal import isal_zlib

    compressor = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15)
    checksum = size = 0
    _write(target, _GZIP_TIME + _EXTRA + identity(source))
    while chunk := os.read(source, _COPY_BYTES):
        checksum = isal_zlib.crc32(chunk, checksum)
        size += len(chunk)
        _write(target, compressor.compress(chunk))
    tail = (checksum & 0xFFFFFFFF).to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
    _write(target, compressor.flush() + tail)


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
