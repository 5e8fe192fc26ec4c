"""Blobs: whole or not there."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path

import pytest

from windlass.base.errors import DataLoss, InvalidParameter, System
from windlass.content.blobs import BlobStore
from windlass.content.errors import BlobNotFound, BlobTooLarge, DigestMismatch, IngestBusy, SizeMismatch
from windlass.content.ingest import Durability
from windlass.spec.digest import Digest, InvalidDigest, digest_bytes

HELLO = digest_bytes(b"hello")


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "root"))


def files(store: BlobStore) -> list[str]:
    root = Path(store.path(HELLO)).parents[2]
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("durability", Durability)
def test_committed_blob_is_found(store: BlobStore, durability: Durability) -> None:
    with store.ingest("ref", HELLO, 5) as ingest:
        ingest.write(b"hel")
        ingest.write(memoryview(b"lo"))
        assert not store.exists(HELLO)
        assert ingest.commit(durability) == HELLO
    store.sync()
    assert store.exists(HELLO) and store.size(HELLO) == 5
    assert store.read_verified(HELLO, 5) == b"hello"
    with store.open(HELLO) as file:
        assert file.read(100) == b"hello"
    assert list(store.walk()) == [(HELLO, 5)]
    assert files(store) == [f"blobs/sha256/{HELLO[7:]}"]


def test_modes(store: BlobStore) -> None:
    store.put(b"hello")
    path = Path(store.path(HELLO))
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    for directory in (*path.parents[:2], path.parents[2] / "ingest"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_same_blob_twice(store: BlobStore) -> None:
    assert store.put(b"hello") == store.put(b"hello") == HELLO


def test_other_registered_algorithm(store: BlobStore) -> None:
    digest = Digest("sha512:" + hashlib.sha512(b"hello").hexdigest())
    assert store.put(b"hello", digest) == digest
    assert store.read_verified(digest, 10) == b"hello"


def test_wrong_digest_stores_nothing(store: BlobStore) -> None:
    with store.ingest("ref", HELLO) as ingest:
        ingest.write(b"hallo")
        with pytest.raises(DigestMismatch) as caught:
            ingest.commit()
    assert isinstance(caught.value, DataLoss)
    assert files(store) == []


@pytest.mark.parametrize("data", [b"hell", b"hello!"])
def test_wrong_size_stores_nothing(store: BlobStore, data: bytes) -> None:
    with store.ingest("ref", None, 5) as ingest, pytest.raises(SizeMismatch):
        ingest.write(data)
        ingest.commit()
    assert files(store) == []


def test_ingest_goes_on_where_it_was_left(store: BlobStore) -> None:
    with store.ingest("ref", HELLO, 5) as ingest:
        ingest.write(b"hel")
    assert not store.exists(HELLO)
    with store.ingest("ref", HELLO, 5) as ingest:
        assert ingest.offset == 3
        ingest.write(b"lo")
        assert ingest.commit() == HELLO


def test_tampered_remainder_does_not_pass(store: BlobStore) -> None:
    with store.ingest("ref", HELLO, 5) as ingest:
        ingest.write(b"hel")
        Path(os.readlink(f"/proc/self/fd/{ingest.fileno()}")).write_bytes(b"HEL")
    with store.ingest("ref", HELLO, 5) as ingest:
        ingest.write(b"lo")
        with pytest.raises(DigestMismatch):
            ingest.commit()


def test_remainder_larger_than_announced_is_forgotten(store: BlobStore) -> None:
    with store.ingest("ref") as ingest:
        ingest.write(b"far too much")
    with store.ingest("ref", HELLO, 5) as ingest:
        assert ingest.offset == 0
        ingest.write(b"hello")
        ingest.commit()


def test_restart_forgets(store: BlobStore) -> None:
    with store.ingest("ref", HELLO) as ingest:
        ingest.write(b"garbage, longer")
        ingest.restart()
        ingest.write(b"hello")
        ingest.commit()
    assert store.size(HELLO) == 5


def test_one_writer_per_reference(store: BlobStore) -> None:
    with store.ingest("ref"):
        with pytest.raises(IngestBusy):
            store.ingest("ref")
        with store.ingest("other"), store.ingest(), store.ingest():
            pass
    with store.ingest("ref"):
        pass


def test_reference_never_becomes_a_path(store: BlobStore, tmp_path: Path) -> None:
    with store.ingest("../../../escape\0/" + "x" * 5000) as ingest:
        ingest.write(b"x")
    assert not list(tmp_path.glob("escape*"))


def test_blob_that_a_worker_wrote(store: BlobStore) -> None:
    with store.ingest(None, HELLO) as ingest:
        os.write(ingest.fileno(), b"hello")
        assert ingest.commit_written(HELLO, 5) == HELLO
    with store.ingest() as ingest:
        os.write(ingest.fileno(), b"hello")
        with pytest.raises(SizeMismatch):
            ingest.commit_written(HELLO, 6)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_is_reported_and_cleaned(store: BlobStore, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(number, "full")

    with store.ingest("ref") as ingest:
        ingest.write(b"x" * 100)
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(System, match="no space left on device"):
            ingest.write(b"more")
    assert files(store) == []


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:../../etc/passwd", "md5:" + "0" * 32, "sha256:" + "A" * 64, "../x:0"]
)
def test_what_is_no_digest_never_becomes_a_path(store: BlobStore, text: str) -> None:
    for call in (store.open, store.size, store.exists, store.delete, store.path):
        with pytest.raises(InvalidDigest):
            call(Digest(text))
    with pytest.raises(InvalidDigest):
        store.ingest(None, Digest(text))


def test_negative_size_is_refused(store: BlobStore) -> None:
    with pytest.raises(InvalidParameter):
        store.ingest(None, None, -1)


def test_missing_blob(store: BlobStore) -> None:
    for call in (store.open, store.size):
        with pytest.raises(BlobNotFound, match=f"content digest {HELLO}: not found"):
            call(HELLO)
    with pytest.raises(BlobNotFound):
        store.read_verified(HELLO, 10)
    assert store.delete(HELLO) == 0 and not store.exists(HELLO)


def test_read_verified_is_bounded_and_verified(store: BlobStore) -> None:
    store.put(b"hello")
    with pytest.raises(BlobTooLarge):
        store.read_verified(HELLO, 4)
    path = Path(store.path(HELLO))
    path.chmod(0o600)
    path.write_bytes(b"hallo")
    with pytest.raises(DigestMismatch):
        store.read_verified(HELLO, 10)


def test_symbolic_link_is_no_blob(store: BlobStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hello")
    Path(store.path(HELLO)).symlink_to(secret)
    with pytest.raises(System):
        store.open(HELLO)
    assert list(store.walk()) == []


def test_deleted_blob_is_gone(store: BlobStore) -> None:
    store.put(b"hello")
    with store.open(HELLO) as file:
        assert store.delete(HELLO) == 5
        assert file.read() == b"hello"
    assert not store.exists(HELLO)


def test_expiry_spares_what_is_being_written(store: BlobStore) -> None:
    with store.ingest("left") as ingest:
        ingest.write(b"x")
    with store.ingest("busy") as ingest:
        assert store.expire_ingests(older_than_s=3600) == 0
        assert store.expire_ingests(older_than_s=0) == 1
        ingest.write(b"hello")
        assert ingest.commit() == HELLO


def test_adopted_file_is_a_blob(store: BlobStore) -> None:
    path = Path(store.path(HELLO)).parents[2] / "ready"
    path.write_bytes(b"hello")
    store.adopt(str(path), HELLO)
    assert not path.exists()
    assert store.read_verified(HELLO, 5) == b"hello"
    with pytest.raises(System):
        store.adopt(str(path), HELLO)
