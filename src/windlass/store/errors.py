"""What can go wrong with the metadata file, in words for the person who looks after the host."""

from __future__ import annotations

import sqlite3

from windlass.base.errors import DataLoss, System, WindlassError


class StoreCorrupt(DataLoss):
    """The metadata file is damaged; nothing was changed."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"metadata store {path} is corrupt ({reason}): restore it from a copy, or move it away")
        self.path = path


class StoreTooNew(DataLoss):
    """A later version of the engine wrote the metadata file."""

    def __init__(self, path: str, version: int, known: int) -> None:
        super().__init__(f"metadata store {path} has schema version {version}; this version knows up to {known}")
        self.path = path


class StoreRefused(System):
    """The host would not let the metadata file be read or written; the transaction was rolled back."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"metadata store {path}: {reason}")
        self.path = path


# Primary result codes. Source: https://www.sqlite.org/rescode.html
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_REASONS = {
    sqlite3.SQLITE_FULL: "no space left on device",
    sqlite3.SQLITE_READONLY: "read-only file system",
    sqlite3.SQLITE_BUSY: "another process holds it",
    sqlite3.SQLITE_CANTOPEN: "unable to open",
}


def explained(error: sqlite3.Error, path: str) -> WindlassError:
    """Return the engine's error for SQLite's."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _CORRUPT:
        return StoreCorrupt(path, str(error))
    return StoreRefused(path, _REASONS.get(code, str(error)))
