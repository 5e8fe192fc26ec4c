"""Image archives as they are read once taken apart: what is found in them, and what is refused."""

from __future__ import annotations

import json

import pytest
from tests.support.image_files import descriptor, oci_files, small_image

from windlass.base.errors import InvalidParameter
from windlass.images.layout import ArchiveLayout, InvalidArchive
from windlass.images.stage_job import StagedFile, Table
from windlass.spec import media_types
from windlass.spec.digest import digest_bytes
from windlass.spec.platform import Platform

AMD64, ARM64 = Platform(os="linux", architecture="amd64"), Platform(os="linux", architecture="arm64")
IMAGE = small_image({"a": b"1"}, {"b": b"2"})


def _layout(files: dict[str, bytes], links: dict[str, str] | None = None) -> ArchiveLayout:
    data = list(files.values())
    table = Table(
        files={name: StagedFile(n, len(part), digest_bytes(part)) for n, (name, part) in enumerate(files.items())},
        links=links or {},
    )
    return ArchiveLayout(table, lambda file, limit: data[file.number][:limit])


def _docker_files(**item: object) -> dict[str, bytes]:
    entry = {"Config": "c.json", "RepoTags": ["a/b:1"], "Layers": ["0.tar", "1.tar"]} | item
    return {
        "c.json": IMAGE.config,
        "0.tar": IMAGE.layers[0],
        "1.tar": IMAGE.layers[1],
        "manifest.json": json.dumps([entry]).encode(),
    }


def test_dockers_form() -> None:
    (found,) = _layout(_docker_files()).images(AMD64)
    assert [ref.familiar for ref in found.refs] == ["a/b:1"]
    assert [file.digest for file in found.layers] == [digest_bytes(layer) for layer in IMAGE.layers]
    assert found.raw_manifest == b""


def test_layers_shared_by_links() -> None:
    files = _docker_files(Layers=["x/layer.tar", "1.tar"])
    (found,) = _layout(files, {"x/layer.tar": "y/layer.tar", "y/layer.tar": "0.tar"}).images(AMD64)
    assert found.layers[0].digest == digest_bytes(IMAGE.layers[0])


def test_an_oci_layout() -> None:
    entry = descriptor(
        media_types.OCI_MANIFEST, IMAGE.manifest, annotations={"io.containerd.image.name": "docker.io/library/a:1"}
    )
    (found,) = _layout(oci_files(IMAGE.blobs(), [entry])).images(AMD64)
    assert found.raw_manifest == IMAGE.manifest
    assert [ref.familiar for ref in found.refs] == ["a:1"]


def test_a_bare_tag_is_no_name() -> None:
    entry = descriptor(
        media_types.OCI_MANIFEST, IMAGE.manifest, annotations={"org.opencontainers.image.ref.name": "latest"}
    )
    (found,) = _layout(oci_files(IMAGE.blobs(), [entry])).images(AMD64)
    assert found.refs == ()


def test_both_forms_at_once_keep_the_manifest() -> None:
    files = oci_files(IMAGE.blobs(), [descriptor(media_types.OCI_MANIFEST, IMAGE.manifest)]) | _docker_files()
    (found,) = _layout(files).images(AMD64)
    assert found.raw_manifest == IMAGE.manifest
    assert [ref.familiar for ref in found.refs] == ["a/b:1"]


def test_an_index_gives_the_image_of_the_platform() -> None:
    other = small_image({"a": b"arm"}, architecture="arm64")
    inner = json.dumps(
        {
            "schemaVersion": 2,
            "manifests": [
                descriptor(media_types.OCI_MANIFEST, IMAGE.manifest, platform={"os": "linux", "architecture": "amd64"}),
                descriptor(media_types.OCI_MANIFEST, other.manifest),
            ],
        }
    ).encode()
    blobs = IMAGE.blobs() | other.blobs() | {digest_bytes(inner): inner}
    layout = _layout(oci_files(blobs, [descriptor(media_types.OCI_INDEX, inner)]))
    assert layout.images(AMD64)[0].raw_config == IMAGE.config
    assert layout.images(ARM64)[0].raw_config == other.config
    with pytest.raises(InvalidArchive, match="no matching manifest for linux/s390x"):
        layout.images(Platform(os="linux", architecture="s390x"))


def _nested(depth: int) -> dict[str, bytes]:
    raw, kind = IMAGE.manifest, media_types.OCI_MANIFEST
    blobs = IMAGE.blobs()
    for _ in range(depth):
        raw = json.dumps({"schemaVersion": 2, "manifests": [descriptor(kind, raw)]}).encode()
        kind = media_types.OCI_INDEX
        blobs[digest_bytes(raw)] = raw
    return oci_files(blobs, [descriptor(kind, raw)])


def _wide() -> dict[str, bytes]:
    """Three levels of a hundred entries each, all the same: a million visits."""
    raw, kind = IMAGE.manifest, media_types.OCI_MANIFEST
    blobs = IMAGE.blobs()
    for _ in range(3):
        raw = json.dumps({"schemaVersion": 2, "manifests": [descriptor(kind, raw)] * 100}).encode()
        kind = media_types.OCI_INDEX
        blobs[digest_bytes(raw)] = raw
    return oci_files(blobs, [descriptor(kind, raw)])


def _forged_blob() -> dict[str, bytes]:
    blobs = IMAGE.blobs() | {IMAGE.id: b"{}"}
    return oci_files(blobs, [descriptor(media_types.OCI_MANIFEST, IMAGE.manifest)])


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"bin/sh": b""},
        {"manifest.json": b"null"},
        {"manifest.json": b"{}"},
        {"manifest.json": b"[" * 100_000},
        {"manifest.json": b'[{"Layers":[]}]'},
        _docker_files(Config="missing.json"),
        _docker_files(Config="../../etc/passwd"),
        _docker_files(Config="1.tar"),
        _docker_files(Layers=["0.tar"]),
        _docker_files(Layers=["0.tar", "/etc/shadow"]),
        _docker_files(RepoTags=["Not A Name"]),
        _docker_files(RepoTags=["a"]),
        oci_files({}, [descriptor(media_types.OCI_MANIFEST, IMAGE.manifest)]),
        oci_files(IMAGE.blobs(), [{"mediaType": media_types.OCI_MANIFEST, "digest": "sha256:../x", "size": 1}]),
        _nested(9),
        _wide(),
        _forged_blob(),
    ],
)
def test_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(InvalidParameter):
        _layout(files).images(AMD64)


def test_links_that_go_round_are_refused() -> None:
    files = _docker_files(Layers=["x", "1.tar"])
    with pytest.raises(InvalidArchive, match="'x' is missing"):
        _layout(files, {"x": "y", "y": "x"}).images(AMD64)
