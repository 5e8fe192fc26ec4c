"""CVE-2021-41190: one document, read as a manifest by one and as an index by another."""

from __future__ import annotations

import json

import pytest

from windlass.spec import media_types
from windlass.spec.image import InvalidImage, parse_manifest

DIGEST = "sha256:" + "0" * 64


def _both(**fields: object) -> bytes:
    document = {
        "schemaVersion": 2,
        "config": {"mediaType": media_types.OCI_CONFIG, "digest": DIGEST, "size": 1},
        "layers": [],
        "manifests": [],
    }
    return json.dumps(document | fields).encode()


@pytest.mark.parametrize("announced", ["", media_types.OCI_MANIFEST, media_types.OCI_INDEX])
@pytest.mark.parametrize("stated", ["", media_types.OCI_MANIFEST, media_types.OCI_INDEX])
def test_a_document_that_is_both_is_refused(announced: str, stated: str) -> None:
    with pytest.raises(InvalidImage):
        parse_manifest(_both(mediaType=stated), announced)


@pytest.mark.parametrize(
    ("stated", "announced"),
    [
        (media_types.OCI_INDEX, ""),
        (media_types.OCI_INDEX, media_types.OCI_MANIFEST),
        (media_types.OCI_MANIFEST, media_types.OCI_INDEX),
        (media_types.OCI_MANIFEST, media_types.DOCKER_MANIFEST),
        ("", media_types.OCI_INDEX),
        ("", "application/octet-stream"),
    ],
)
def test_a_manifest_announced_or_stated_otherwise_is_refused(stated: str, announced: str) -> None:
    document = json.loads(_both(mediaType=stated))
    del document["manifests"]
    with pytest.raises(InvalidImage):
        parse_manifest(json.dumps(document).encode(), announced)
