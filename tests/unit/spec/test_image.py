"""Documents of images: what is read, and what is refused."""

from __future__ import annotations

import json

import pytest

from windlass.base.errors import InvalidParameter
from windlass.spec import media_types
from windlass.spec.image import (
    CONFIG_LIMIT_BYTES,
    LAYER_LIMIT,
    MANIFEST_LIMIT_BYTES,
    Index,
    InvalidImage,
    Manifest,
    parse_config,
    parse_manifest,
)

DIGEST = "sha256:" + "0" * 64


def _descriptor(media_type: str, **fields: object) -> dict[str, object]:
    return {"mediaType": media_type, "digest": DIGEST, "size": 1, **fields}


def _manifest(**fields: object) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": _descriptor(media_types.OCI_CONFIG),
        "layers": [_descriptor(media_types.OCI_LAYER_GZIP)],
    }
    return json.dumps({key: value for key, value in (document | fields).items() if value is not None}).encode()


def _index(**fields: object) -> bytes:
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": []}
    return json.dumps({key: value for key, value in (document | fields).items() if value is not None}).encode()


def test_reads_a_manifest_and_an_index() -> None:
    manifest = parse_manifest(_manifest(), media_types.OCI_MANIFEST)
    assert isinstance(manifest, Manifest)
    assert manifest.layers[0].digest == DIGEST
    assert isinstance(parse_manifest(_index(), media_types.OCI_INDEX), Index)


def test_parameters_of_a_content_type_do_not_matter() -> None:
    assert isinstance(parse_manifest(_manifest(), f"{media_types.OCI_MANIFEST}; charset=utf-8"), Manifest)


def test_a_document_without_its_own_word_is_what_its_shape_says() -> None:
    assert isinstance(parse_manifest(_manifest(mediaType=None)), Manifest)
    assert isinstance(parse_manifest(_index(mediaType=None)), Index)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        _manifest(schemaVersion=1),
        _manifest(config=None),
        _manifest(layers=None),
        _manifest(layers=[_descriptor("text/plain")]),
        _manifest(layers=[_descriptor(media_types.OCI_LAYER)] * (LAYER_LIMIT + 1)),
        _manifest(config=_descriptor("application/vnd.example+json")),
        _manifest(config=_descriptor(media_types.OCI_CONFIG, digest="sha256:../../etc/passwd")),
        _manifest(config=_descriptor(media_types.OCI_CONFIG, digest="md5:" + "0" * 32)),
        _manifest(config=_descriptor(media_types.OCI_CONFIG, size=-1)),
        _manifest(config=_descriptor(media_types.OCI_CONFIG, size=1 << 70)),
        b" " * (MANIFEST_LIMIT_BYTES + 1),
    ],
)
def test_refuses_bad_manifests(raw: bytes) -> None:
    with pytest.raises(InvalidParameter):
        parse_manifest(raw)


def test_schema_1_is_named() -> None:
    with pytest.raises(InvalidImage, match="schema 1 support has been removed"):
        parse_manifest(b'{"schemaVersion":1,"fsLayers":[]}')


def test_reads_a_configuration_with_nulls_as_go_does() -> None:
    raw = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": None, "User": None, "Cmd": ["sh"], "Volumes": {"/d": {}}, "Labels": {"a": "b"}},
            "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
            "history": [{"created": None, "empty_layer": True}],
        }
    )
    config = parse_config(raw.encode())
    assert config.config.cmd == ["sh"]
    assert config.config.user == ""
    assert config.diff_ids == [DIGEST]
    assert str(config.platform) == "linux/amd64"


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b'{"rootfs":{"type":"layers","diff_ids":["sha256:x"]}}',
        b'{"rootfs":{"type":"other","diff_ids":[]}}',
        b'{"config":{"Env":"A=1"}}',
        b'{"config":{"Labels":{"a":1}}}',
        b'{"a":' * 100_000,
        json.dumps({"rootfs": {"type": "layers", "diff_ids": [DIGEST] * (LAYER_LIMIT + 1)}}).encode(),
        b" " * (CONFIG_LIMIT_BYTES + 1),
    ],
)
def test_refuses_bad_configurations(raw: bytes) -> None:
    with pytest.raises(InvalidParameter):
        parse_config(raw)
