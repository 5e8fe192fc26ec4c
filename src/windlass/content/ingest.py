"""An ingest: bytes on their way to being a blob, invisible until committed."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from enum import Enum
from types import TracebackType

from windlass.base.errors import System
from windlass.content.errors import DigestMismatch, IngestBusy, SizeMismatch
from windlass.spec.digest import Digest

_BLOB_MODE = 0o400
_REHASH_CHUNK = 1 << 20
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


class Durability(Enum):
    """When a committed blob is on the disk.

    `FSYNC`: when `commit` returns. `DEFERRED`: when the caller has called `BlobStore.sync`, once for many blobs, before
    it records that they exist.
    """

    FSYNC = "fsync"
    DEFERRED = "deferred"


class Ingest:
    """One partial blob. A context manager: leaving it closes it, and what was not committed stays for a later try.

    One writer at a time, one thread at a time.
    """

    def __init__(
        self, path: str, blobs_dir: str, ref: str, expected_digest: Digest | None, expected_size: int | None
    ) -> None:
        """Open or go on with the file at `path`; what is there is hashed again, never believed.

        `commit` will put it below `blobs_dir`, on the same file system.

        Raises:
            IngestBusy: another writer has it.
            System: the host refused.
        """
        self._path = path
        self._blobs_dir = blobs_dir
        self._expected_digest = expected_digest
        self._expected_size = expected_size
        self._algorithm = expected_digest.partition(":")[0] if expected_digest else "sha256"
        self._hash = hashlib.new(self._algorithm)
        self._fd = _locked(path, ref)
        self.offset = 0
        self._rehash()

    def __enter__(self) -> Ingest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rehash(self) -> None:
        while data := os.read(self._fd, _REHASH_CHUNK):
            self._hash.update(data)
            self.offset += len(data)
        if self._expected_size is not None and self.offset > self._expected_size:
            self.restart()

    def fileno(self) -> int:
        """Return the descriptor, for a worker that writes and hashes by itself; then use `commit_written`."""
        return self._fd

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append `data`.

        Raises:
            SizeMismatch: more than was announced; the ingest is gone.
            System: the disk is full, and the ingest is gone to make room; or another refusal.
        """
        if self._expected_size is not None and self.offset + len(data) > self._expected_size:
            self.abort()
            raise SizeMismatch(self._expected_size, self.offset + len(data))
        view = memoryview(data)
        while view:
            try:
                written = os.write(self._fd, view)
            except OSError as error:
                raise self._failed("write", error) from error
            self._hash.update(view[:written])
            self.offset += written
            view = view[written:]

    def restart(self) -> None:
        """Forget what was written, for a source that cannot resume.

        Raises:
            System: the host refused.
        """
        try:
            os.ftruncate(self._fd, 0)
            os.lseek(self._fd, 0, os.SEEK_SET)
        except OSError as error:
            raise self._failed("truncate", error) from error
        self._hash = hashlib.new(self._algorithm)
        self.offset = 0

    def commit(self, durability: Durability = Durability.FSYNC) -> Digest:
        """Verify size and digest, make the blob visible and return its digest.

        Raises:
            SizeMismatch, DigestMismatch: nothing is stored and the ingest is gone.
            System: the host refused; nothing is stored.
        """
        return self._publish(Digest(f"{self._algorithm}:{self._hash.hexdigest()}"), self.offset, durability)

    def commit_written(self, digest: Digest, size_bytes: int, durability: Durability = Durability.FSYNC) -> Digest:
        """As `commit`, for bytes that a worker of ours wrote to `fileno()` and hashed to `digest`.

        Raises:
            SizeMismatch, DigestMismatch, System: as `commit`.
        """
        actual = os.fstat(self._fd).st_size
        if actual != size_bytes:
            self.abort()
            raise SizeMismatch(size_bytes, actual)
        return self._publish(digest, size_bytes, durability)

    def _publish(self, digest: Digest, size_bytes: int, durability: Durability) -> Digest:
        if self._expected_size is not None and size_bytes != self._expected_size:
            self.abort()
            raise SizeMismatch(self._expected_size, size_bytes)
        if self._expected_digest is not None and digest != self._expected_digest:
            self.abort()
            raise DigestMismatch(self._expected_digest, digest)
        algorithm, _, encoded = digest.partition(":")
        directory = f"{self._blobs_dir}/{algorithm}"
        try:
            os.fchmod(self._fd, _BLOB_MODE)
            if durability is Durability.FSYNC:
                os.fsync(self._fd)
            os.makedirs(directory, 0o700, exist_ok=True)
            # Over a blob of the same digest this changes nothing: the bytes are the same.
            os.rename(self._path, f"{directory}/{encoded}")
            if durability is Durability.FSYNC:
                _fsync_directory(directory)
        except OSError as error:
            raise self._failed("commit", error) from error
        self.close()
        return digest

    def close(self) -> None:
        """Stop writing; the bytes stay for a later try of the same reference."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def abort(self) -> None:
        """Remove the ingest."""
        if self._fd >= 0:
            os.unlink(self._path)
        self.close()

    def _failed(self, action: str, error: OSError) -> System:
        if error.errno in _FULL:
            self.abort()
            return System("no space left on device")
        return System(f"{action} {self._path}: {os.strerror(error.errno or 0)}")


def _locked(path: str, ref: str) -> int:
    """Open `path` and lock it, and be sure that it is still the one at `path`."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(fd, path):
                return fd
        except BlockingIOError:
            os.close(fd)
            raise IngestBusy(ref) from None
        # The holder before us committed or aborted it between our open and our lock.
        os.close(fd)


def _is_at(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except FileNotFoundError:
        return False


def _fsync_directory(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
