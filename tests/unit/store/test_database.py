"""The metadata file: transactions, migrations, and what a bad disk or file looks like."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from windlass.store.database import Database, open_database
from windlass.store.errors import StoreCorrupt, StoreRefused, StoreTooNew
from windlass.store.schema import MIGRATIONS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "db" / "meta.sqlite"


@pytest_asyncio.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    database = open_database(str(path))
    yield database
    await database.close()


async def test_a_failed_transaction_changes_nothing(database: Database) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO volumes VALUES ('v', x'00')")
        raise KeyError("stop")

    with pytest.raises(KeyError):
        await database.write(fail)
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM volumes").fetchone()) == (0,)


async def test_what_was_written_is_there_after_reopening(path: Path) -> None:
    first = open_database(str(path))
    await first.write(lambda c: c.execute("INSERT INTO volumes VALUES ('v', x'00')"))
    await first.close()
    second = open_database(str(path))
    assert await second.read(lambda c: c.execute("SELECT name FROM volumes").fetchall()) == [("v",)]
    await second.close()


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(StoreRefused):
        await database.read(lambda c: c.execute("INSERT INTO volumes VALUES ('v', x'00')"))


async def test_the_file_is_for_its_owner(database: Database, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_a_new_file_has_the_latest_schema(database: Database) -> None:
    assert await database.read(lambda c: c.execute("PRAGMA user_version").fetchone()) == (len(MIGRATIONS),)
    assert await database.read(lambda c: c.execute("PRAGMA foreign_keys").fetchone()) == (1,)


async def test_a_later_versions_file_is_left_alone(path: Path) -> None:
    await open_database(str(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(StoreTooNew):
        open_database(str(path))


def test_a_file_that_is_no_database_is_reported(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"something else" * 1000)
    with pytest.raises(StoreCorrupt, match=r"meta\.sqlite is corrupt"):
        open_database(str(path))
    assert path.read_bytes().startswith(b"something else")


async def test_a_damaged_page_is_reported(path: Path) -> None:
    database = open_database(str(path))
    await database.write(
        lambda c: c.executemany("INSERT INTO volumes VALUES (?, ?)", [(f"v{n}", os.urandom(500)) for n in range(200)])
    )
    await database.close()
    data = bytearray(path.read_bytes())
    data[8192:-4096] = os.urandom(len(data) - 8192 - 4096)
    path.write_bytes(data)
    with pytest.raises(StoreCorrupt):
        open_database(str(path))


async def test_a_full_disk_is_reported_and_rolled_back(database: Database) -> None:
    pages = await database.write(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    await database.read(lambda c: c.execute("PRAGMA page_count").fetchone())
    # Outside a transaction, as the pragma wants it.
    database._writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreRefused, match="no space left on device"):
        await database.write(lambda c: c.execute("INSERT INTO volumes VALUES ('v', zeroblob(1000000))"))
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM volumes").fetchone()) == (0,)


def test_a_directory_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreRefused):
        open_database(str(tmp_path / "file" / "db" / "meta.sqlite"))
