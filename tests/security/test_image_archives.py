"""Classes that hit loaders of image archives: links out of the archive (CVE-2025-11395), giant documents
(CVE-2023-25153), digests that are paths (CVE-2024-3727), crashes on malformed documents (CVE-2021-21285).
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.support.image_files import descriptor, oci_files, small_image, tar_of

from windlass.base.errors import InvalidParameter, WindlassError
from windlass.images.layout import ArchiveLayout
from windlass.images.stage_job import TABLE, StagedFile, Table, stage_job
from windlass.spec import media_types
from windlass.spec.image import CONFIG_LIMIT_BYTES, MANIFEST_LIMIT_BYTES
from windlass.spec.platform import Platform

AMD64 = Platform(os="linux", architecture="amd64")
IMAGE = small_image({"a": b"1"})


def _stage(archive: bytes, directory: Path) -> Table:
    """Take an archive apart as the worker does, in this process and without its walls."""
    directory.mkdir()
    (directory.parent / "input").write_bytes(archive)
    input_fd = os.open(directory.parent / "input", os.O_RDONLY)
    directory_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        stage_job({"confined": False}, [input_fd, directory_fd])
    finally:
        os.close(input_fd)
        os.close(directory_fd)
    return msgspec.json.decode((directory / TABLE).read_bytes(), type=Table)


def _images(archive: bytes, directory: Path) -> None:
    table = _stage(archive, directory)

    def read(file: StagedFile, limit_bytes: int) -> bytes:
        return (directory / str(file.number)).read_bytes()[:limit_bytes]

    ArchiveLayout(table, read).images(AMD64)


def _with(*entries: Callable[[tarfile.TarFile], None]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for add in entries:
            add(archive)
    return buffer.getvalue()


def _file(name: str, data: bytes) -> Callable[[tarfile.TarFile], None]:
    def add(archive: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))

    return add


def _link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Callable[[tarfile.TarFile], None]:
    def add(archive: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, target
        archive.addfile(entry)

    return add


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_lead_nowhere_but_into_the_archive(tmp_path: Path, kind: bytes) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(IMAGE.config)
    manifest = json.dumps([{"Config": "c.json", "RepoTags": None, "Layers": ["l.tar"]}]).encode()
    layer = _file("l.tar", IMAGE.layers[0])
    archive = _with(_file("manifest.json", manifest), layer, _link("c.json", str(secret), kind))
    with pytest.raises(InvalidParameter, match=r"'c\.json' is missing"):
        _images(archive, tmp_path / "staged")


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    archive = _with(_link("0", str(victim)), _link("d", str(tmp_path)), _file("0", b"x"), _file("d/victim", b"x"))
    table = _stage(archive, tmp_path / "staged")
    assert victim.read_bytes() == b"untouched"
    assert sorted(table.files) == ["0", "d/victim"]
    assert sorted(os.listdir(tmp_path / "staged")) == ["0", "1", TABLE]


def test_devices_and_modes_are_not_made(tmp_path: Path) -> None:
    def device(archive: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo("dev")
        entry.type, entry.devmajor, entry.devminor = tarfile.BLKTYPE, 8, 0
        archive.addfile(entry)

    def set_id(archive: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo("suid")
        entry.mode, entry.uid = 0o6777, 12345
        archive.addfile(entry)

    _stage(_with(device, set_id), tmp_path / "staged")
    assert sorted(os.listdir(tmp_path / "staged")) == ["0", TABLE]
    found = (tmp_path / "staged/0").stat()
    assert (found.st_mode & 0o7777, found.st_uid) == (0o600, os.geteuid())


@pytest.mark.parametrize("name", ["../up", "a/../../up", "/../up", "x" * 2000, "..", "a/../../../b"])
def test_names_that_climb_or_are_endless_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidParameter):
        _stage(tar_of({name: b""}), tmp_path / "staged")


@pytest.mark.parametrize(
    ("name", "limit"), [("manifest.json", MANIFEST_LIMIT_BYTES), ("index.json", MANIFEST_LIMIT_BYTES)]
)
def test_giant_documents_are_not_read(name: str, limit: int) -> None:
    table = Table(files={name: StagedFile(0, limit + 1, "sha256:" + "0" * 64)})

    def read(_file: StagedFile, _limit: int) -> bytes:
        raise AssertionError("read")

    with pytest.raises(InvalidParameter, match="exceeds the limit"):
        ArchiveLayout(table, read).images(AMD64)


def test_a_giant_configuration_is_not_read() -> None:
    item = json.dumps([{"Config": "c", "Layers": []}]).encode()
    giant = StagedFile(1, CONFIG_LIMIT_BYTES + 1, "sha256:" + "0" * 64)
    table = Table(files={"manifest.json": StagedFile(0, len(item), "sha256:" + "1" * 64), "c": giant})
    with pytest.raises(InvalidParameter, match="exceeds the limit"):
        ArchiveLayout(table, lambda file, _limit: {0: item}[file.number]).images(AMD64)


@pytest.mark.parametrize(
    "digest",
    [
        "sha256:../../../../etc/passwd",
        "../..:" + "0" * 64,
        "sha256:" + "0" * 63,
        "sha256:" + "A" * 64,
        "md5:" + "0" * 32,
        "sha256:" + "0" * 64 + "\n",
        "",
    ],
)
def test_a_digest_that_is_none_never_becomes_a_path(tmp_path: Path, digest: str) -> None:
    entry = descriptor(media_types.OCI_MANIFEST, IMAGE.manifest) | {"digest": digest}
    with pytest.raises(InvalidParameter):
        _images(tar_of(oci_files(IMAGE.blobs(), [entry])), tmp_path / "staged")


@pytest.mark.parametrize("name", ["manifest.json", "index.json"])
@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff\xfe", b"[" * 200_000, b'[{"Config":' * 50_000, b'"x"', b"[null]", b'[{"Config":1}]', b"1e999"],
)
def test_malformed_documents_are_errors_and_no_more(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(WindlassError):
        _images(tar_of({name: data}), tmp_path / "staged")
