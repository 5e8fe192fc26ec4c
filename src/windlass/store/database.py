"""The metadata file: SQLite behind one writing thread and one reading thread.

    <data-root>/db/meta.sqlite      write-ahead log, foreign keys on; tables in `windlass.store.schema`

A write is one transaction: it is durable against the end of the process once `write` returns, and against the end
of the machine up to the last checkpoint (`synchronous=NORMAL` loses whole transactions then, and never tears one).

Source: https://www.sqlite.org/wal.html; https://www.sqlite.org/pragma.html#pragma_synchronous
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from windlass.store.errors import StoreCorrupt, StoreRefused, StoreTooNew, explained
from windlass.store.schema import MIGRATIONS

_T = TypeVar("_T")

_BUSY_TIMEOUT_MS = 5_000
_CHECKPOINT_PAGES = 1_000


class Database:
    """One open metadata file. What is handed to `read` and `write` runs in its threads, and waits for nothing else."""

    def __init__(self, path: str, writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
        self.path = path
        self._writer = writer
        self._reader = reader
        self._write_thread = ThreadPoolExecutor(1, "store-write")
        self._read_thread = ThreadPoolExecutor(1, "store-read")

    async def write(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run `function` in a transaction and return its result once it is committed.

        Any exception of `function` rolls back. Cancelling the caller does not stop a transaction that has begun.

        Raises:
            StoreRefused: disk full, read-only, or an I/O error; nothing was changed.
            StoreCorrupt: the file is damaged.
        """
        return await asyncio.get_running_loop().run_in_executor(self._write_thread, self._transact, function)

    async def read(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run `function` on a consistent view and return its result.

        Raises:
            StoreRefused, StoreCorrupt: as for `write`.
        """
        return await asyncio.get_running_loop().run_in_executor(self._read_thread, self._view, function)

    async def close(self) -> None:
        """Finish what was begun, fold the log into the file and close."""
        await asyncio.to_thread(self._close)

    def _transact(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        return _in_transaction(self._writer, "BEGIN IMMEDIATE", function, self.path)

    def _view(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        return _in_transaction(self._reader, "BEGIN", function, self.path)

    def _close(self) -> None:
        self._read_thread.shutdown()
        self._write_thread.shutdown()
        self._reader.close()
        self._writer.close()


def _in_transaction(
    connection: sqlite3.Connection, begin: str, function: Callable[[sqlite3.Connection], _T], path: str
) -> _T:
    try:
        connection.execute(begin)
        try:
            result = function(connection)
            connection.execute("COMMIT")
        except BaseException:
            # A full disk or an I/O error has rolled back already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except sqlite3.Error as error:
        raise explained(error, path) from error
    return result


def open_database(path: str) -> Database:
    """Open the metadata file at `path`, making it and its directory, or bringing its tables up to date. Blocks.

    Raises:
        StoreCorrupt: the file is damaged or not a database.
        StoreTooNew: a later version wrote it.
        StoreRefused: the host does not let it be opened.
    """
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreRefused(path, os.strerror(error.errno or 0)) from error
    opened: list[sqlite3.Connection] = []
    try:
        writer = _connect(path, opened)
        _migrate(writer, path)
        reader = _connect(path, opened)
        reader.execute("PRAGMA query_only = ON")
    except BaseException as error:
        for connection in opened:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise explained(error, path) from error
        raise
    return Database(path, writer, reader)


def _connect(path: str, opened: list[sqlite3.Connection]) -> sqlite3.Connection:
    # The file holds names and environments of containers.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    opened.append(connection)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    # Every page in cache is charged to the idle daemon: 512 KiB is the whole file of a busy host.
    connection.execute("PRAGMA cache_size = -512")
    return connection


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    """Check the file and run the migrations that it lacks, each in its own transaction."""
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise StoreCorrupt(path, str(verdict).replace("\n", " "))
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise StoreTooNew(path, version, len(MIGRATIONS))
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")
