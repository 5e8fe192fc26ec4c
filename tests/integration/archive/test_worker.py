"""The unpack job in a process of its own: one pass, confined."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from tests.support.archives import directory, file, in_worker, node, tar

from windlass.archive.entry import Kind
from windlass.base.errors import DataLoss, InvalidParameter, System
from windlass.content.blobs import BlobStore
from windlass.linux.mount import mount, umount2
from windlass.snapshots.overlay import LayerStore
from windlass.spec.digest import Digest, digest_bytes

pytestmark = pytest.mark.root

CAPABILITY = b"\x01\0\0\x02\0\x04\0\0" + bytes(12)

LAYER = tar(
    directory(b"etc/"),
    file(
        b"etc/passwd",
        b"root:x:0:0::/:/bin/sh\n",
        uid=3,
        mode=0o4711,
        xattrs={b"user.a": b"b", b"security.capability": CAPABILITY},
    ),
    node(b"null", Kind.CHAR, 1, 3),
    file(b"etc/.wh.gone"),
    file(b"etc/.wh..wh..opq"),
    file(b"big", os.urandom(100_000) * 20),
)


@pytest.fixture
def layers(tmp_path: Path) -> LayerStore:
    return LayerStore(str(tmp_path / "root"))


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "root"))


@pytest.fixture
def feed() -> Iterator[Callable[[bytes], int]]:
    """Pipes with a writer behind each, as the daemon feeds a download."""
    threads: list[threading.Thread] = []
    fds: list[int] = []

    def start(data: bytes) -> int:
        read_fd, write_fd = os.pipe()

        def write() -> None:
            try:
                with os.fdopen(write_fd, "wb") as pipe:
                    pipe.write(data)
            except BrokenPipeError:
                pass

        threads.append(threading.Thread(target=write))
        threads[-1].start()
        fds.append(read_fd)
        return read_fd

    yield start
    for fd in fds:
        os.close(fd)
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_one_pass_names_keeps_and_applies(
    layers: LayerStore, blobs: BlobStore, feed: Callable[[bytes], int], compress: Callable[[bytes], bytes]
) -> None:
    blob = compress(LAYER)
    incoming = layers.prepare()
    root_fd = incoming.open()
    with blobs.ingest("ref", digest_bytes(blob), len(blob)) as ingest:
        result = in_worker({"keep": True}, [feed(blob), root_fd, ingest.fileno()])
        os.close(root_fd)
        assert result["diff_id"] == digest_bytes(LAYER)
        assert result["diff_bytes"] == len(LAYER)
        assert result["blob_digest"] == digest_bytes(blob)
        assert (result["entries"], result["size_bytes"]) == (6, 2_000_022)
        ingest.commit_written(Digest(str(result["blob_digest"])), int(str(result["blob_bytes"])))
    root = Path(layers.path(incoming.commit()))
    assert (root / "etc/passwd").stat().st_uid == 3
    assert os.getxattr(root / "etc/passwd", "security.capability") == CAPABILITY
    assert os.getxattr(root / "etc", "trusted.overlay.opaque") == b"y"
    assert (root / "null").is_char_device() and (root / "etc/gone").is_char_device()
    assert blobs.read_verified(digest_bytes(blob), len(blob)) == blob


def test_bytes_after_the_archive_count_for_the_digest(layers: LayerStore, feed: Callable[[bytes], int]) -> None:
    incoming = layers.prepare()
    fd = incoming.open()
    stream = LAYER + b"trailing" * 100_000
    assert in_worker({}, [feed(stream), fd])["diff_id"] == digest_bytes(stream)
    os.close(fd)


@pytest.mark.parametrize(
    ("blob", "kind"),
    [
        (gzip.compress(LAYER)[:-10], DataLoss),
        (LAYER[:700], DataLoss),
        (gzip.compress(LAYER) + b"garbage", DataLoss),
        (tar(file(b"../escape")), InvalidParameter),
        (b"this is not a tar archive" * 100, DataLoss),
    ],
)
def test_error_arrives_as_its_kind_and_nothing_stays(
    layers: LayerStore, feed: Callable[[bytes], int], blob: bytes, kind: type[Exception]
) -> None:
    incoming = layers.prepare()
    fd = incoming.open()
    with pytest.raises(kind):
        in_worker({}, [feed(blob), fd])
    os.close(fd)
    incoming.abort()
    assert os.listdir(layers.directory) == []


def test_input_beyond_its_announced_size_is_refused(layers: LayerStore, feed: Callable[[bytes], int]) -> None:
    incoming = layers.prepare()
    fd = incoming.open()
    with pytest.raises(InvalidParameter):
        in_worker({"limit_bytes": 1000}, [feed(LAYER), fd])
    os.close(fd)


def test_disk_that_fills_up_is_reported(tmp_path: Path, feed: Callable[[bytes], int]) -> None:
    target = tmp_path / "small"
    target.mkdir()
    mount("tmpfs", str(target), "tmpfs", 0, "size=512k")
    try:
        fd = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
        with pytest.raises(System, match="no space left on device"):
            in_worker({}, [feed(LAYER), fd])
        os.close(fd)
    finally:
        umount2(str(target), 0)


def test_parameters_that_are_none_are_refused(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    with pytest.raises(InvalidParameter):
        in_worker({"whiteouts": "aufs"}, [fd, fd])
    os.close(fd)
