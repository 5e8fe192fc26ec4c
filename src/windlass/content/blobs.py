"""Immutable bytes named by their digest, in the shape of an OCI layout. Source: OCI image-spec v1.1, image-layout.md.

Synchronous, for worker threads and processes. Several may use one store at a time: a blob appears whole, by rename.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Iterator
from typing import BinaryIO

from windlass.base.errors import InvalidParameter, System
from windlass.content.errors import BlobNotFound, BlobTooLarge, DigestMismatch
from windlass.content.ingest import Durability, Ingest
from windlass.linux.fs import syncfs
from windlass.spec.digest import Digest, parse_digest

_HEX = re.compile(r"\A(?:[0-9a-f]{64}|[0-9a-f]{128})\Z")
_ANONYMOUS = "anonymous-"
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class BlobStore:
    """Blobs at `<root>/blobs/<algorithm>/<hex>`, partial ones at `<root>/ingest/<id>`."""

    def __init__(self, root: str) -> None:
        """Use the store below `root`, making its directories (0700) where missing.

        Raises:
            System: the host refused.
        """
        self.directory = self._blobs = f"{root}/blobs"
        self._ingest = f"{root}/ingest"
        try:
            for path in (root, self._blobs, f"{self._blobs}/sha256", self._ingest):
                os.makedirs(path, 0o700, exist_ok=True)
        except OSError as error:
            raise System(f"make {path}: {os.strerror(error.errno or 0)}") from error

    def ingest(
        self, ref: str | None = None, expected_digest: Digest | None = None, expected_size: int | None = None
    ) -> Ingest:
        """Begin a blob, or go on with the one that an earlier try under the same `ref` left; see its `offset`.

        `ref` is any text; without one the ingest cannot be resumed. Sizes in bytes.

        Raises:
            IngestBusy: the same `ref` is being written.
            InvalidDigest: `expected_digest` is not a digest.
            System: the host refused.
        """
        if expected_digest is not None:
            parse_digest(expected_digest)
        if expected_size is not None and expected_size < 0:
            raise InvalidParameter(f"invalid size {expected_size}")
        name = hashlib.sha256(ref.encode()).hexdigest()[:32] if ref is not None else _ANONYMOUS + os.urandom(8).hex()
        try:
            return Ingest(f"{self._ingest}/{name}", self._blobs, ref or name, expected_digest, expected_size)
        except OSError as error:
            raise System(f"open ingest {name}: {os.strerror(error.errno or 0)}") from error

    def put(
        self, data: bytes, expected_digest: Digest | None = None, durability: Durability = Durability.FSYNC
    ) -> Digest:
        """Store `data` whole and return its digest.

        Raises:
            DigestMismatch: it is not `expected_digest`; nothing is stored.
            System: the host refused.
        """
        ingest = self.ingest(None, expected_digest, len(data))
        with ingest:
            ingest.write(data)
            return ingest.commit(durability)

    def adopt(self, path: str, digest: Digest) -> None:
        """Make a blob of a file on the same file system, which a worker of ours wrote and hashed to `digest`.

        It reaches the disk when the kernel likes, or at `sync`.

        Raises:
            InvalidDigest: `digest` is not a digest.
            System: the host refused; the file is where it was.
        """
        target = self.path(digest)
        try:
            os.chmod(path, 0o400)
            os.makedirs(os.path.dirname(target), 0o700, exist_ok=True)
            os.rename(path, target)
        except OSError as error:
            raise System(f"adopt {path}: {os.strerror(error.errno or 0)}") from error

    def path(self, digest: Digest) -> str:
        """Return where the blob is, or would be.

        Raises:
            InvalidDigest: not a digest: it never becomes a path.
        """
        algorithm, _, encoded = parse_digest(digest).partition(":")
        return f"{self._blobs}/{algorithm}/{encoded}"

    def open(self, digest: Digest) -> BinaryIO:
        """Open the blob for reading, unbuffered. The bytes are not verified: they were when they were committed.

        Raises:
            BlobNotFound: not stored.
            System: the host refused.
        """
        try:
            return os.fdopen(os.open(self.path(digest), _READ_FLAGS), "rb", buffering=0)
        except FileNotFoundError:
            raise BlobNotFound(digest) from None
        except OSError as error:
            raise System(f"open blob {digest}: {os.strerror(error.errno or 0)}") from error

    def read_verified(self, digest: Digest, limit_bytes: int) -> bytes:
        """Return the whole blob once its digest is verified: the way to read manifests and configs.

        Raises:
            BlobNotFound: not stored.
            BlobTooLarge: larger than `limit_bytes`; nothing is read.
            DigestMismatch: the disk gave other bytes than were committed.
        """
        with self.open(digest) as file:
            size = os.fstat(file.fileno()).st_size
            if size > limit_bytes:
                raise BlobTooLarge(digest, size, limit_bytes)
            data = bytearray()
            while piece := file.read(1 << 20):
                data += piece
        algorithm = digest.partition(":")[0]
        actual = f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
        if actual != digest:
            raise DigestMismatch(digest, actual)
        return bytes(data)

    def size(self, digest: Digest) -> int:
        """Return the size in bytes.

        Raises:
            BlobNotFound: not stored.
        """
        try:
            return os.lstat(self.path(digest)).st_size
        except FileNotFoundError:
            raise BlobNotFound(digest) from None

    def exists(self, digest: Digest) -> bool:
        """Tell whether the blob is stored."""
        return os.path.lexists(self.path(digest))

    def delete(self, digest: Digest) -> int:
        """Remove the blob and return the bytes freed; 0 when there was none. Open readers keep reading it.

        Raises:
            System: the host refused.
        """
        path = self.path(digest)
        try:
            size = os.lstat(path).st_size
            os.unlink(path)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise System(f"remove blob {digest}: {os.strerror(error.errno or 0)}") from error
        return size

    def walk(self) -> Iterator[tuple[Digest, int]]:
        """Yield digest and size in bytes of every blob; those that come or go meanwhile may be missed."""
        for algorithm in os.listdir(self._blobs):
            with os.scandir(f"{self._blobs}/{algorithm}") as entries:
                for entry in entries:
                    if _HEX.match(entry.name) and entry.is_file(follow_symlinks=False):
                        yield Digest(f"{algorithm}:{entry.name}"), entry.stat(follow_symlinks=False).st_size

    def expire_ingests(self, older_than_s: float) -> int:
        """Remove partial blobs that nobody writes and that are older than this; return how many.

        Those without a reference are removed at any age: nobody will go on with them.

        Raises:
            System: the host refused.
        """
        removed = 0
        oldest = time.time() - older_than_s
        with os.scandir(self._ingest) as entries:
            for entry in entries:
                is_old = entry.stat(follow_symlinks=False).st_mtime <= oldest
                if is_old or entry.name.startswith(_ANONYMOUS):
                    removed += _remove_unless_locked(entry.path)
        return removed

    def sync(self) -> None:
        """Put every blob committed so far on the disk: the second half of `Durability.DEFERRED`.

        Raises:
            System: the disk failed.
        """
        fd = os.open(self._blobs, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            syncfs(fd)
        except OSError as error:
            raise System(f"sync {self._blobs}: {os.strerror(error.errno or 0)}") from error
        finally:
            os.close(fd)


def _remove_unless_locked(path: str) -> bool:
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    except (BlockingIOError, FileNotFoundError):
        return False
    finally:
        os.close(fd)
    return True
