"""What can be wrong with stored content."""

from __future__ import annotations

from windlass.base.errors import Conflict, DataLoss, InvalidParameter, NotFound


class BlobNotFound(NotFound):
    """No blob of this digest is stored."""

    def __init__(self, digest: str) -> None:
        super().__init__(f"content digest {digest}: not found")
        self.digest = digest


class DigestMismatch(DataLoss):
    """The bytes are not those that their digest names."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(f"unexpected commit digest {actual}, expected {expected}")
        self.expected = expected
        self.actual = actual


class SizeMismatch(DataLoss):
    """The bytes are fewer or more than announced."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"unexpected commit size {actual}, expected {expected}")
        self.expected = expected
        self.actual = actual


class BlobTooLarge(InvalidParameter):
    """A blob to be read whole is larger than the reader takes."""

    def __init__(self, digest: str, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"content digest {digest}: size {size_bytes} exceeds the limit of {limit_bytes}")
        self.digest = digest
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class IngestBusy(Conflict):
    """Another writer holds the ingest of the same reference."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"ref {ref} locked: unavailable")
        self.ref = ref
