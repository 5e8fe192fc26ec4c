"""The tars that engines are given."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest
from bench.archives import FreshLayer, write_image


@pytest.fixture
def layer(tmp_path: Path) -> FreshLayer:
    source = tmp_path / "source.tar"
    with tarfile.open(source, "w") as tar:
        member = tarfile.TarInfo("etc/hostname")
        member.size = 700
        tar.addfile(member, io.BytesIO(bytes(700)))
    return FreshLayer(source, tmp_path / "copy.tar")


def test_every_renewal_is_another_layer_of_the_same_size(layer: FreshLayer) -> None:
    contents = [layer.renew().read_bytes() for _ in range(3)]
    assert len(set(contents)) == 3
    assert len({len(one) for one in contents}) == 1
    with tarfile.open(layer.path) as tar:
        assert tar.getnames() == ["etc/hostname", "var/tmp/benchmark-stamp"]


def test_an_image_names_its_layer_by_digest(layer: FreshLayer, tmp_path: Path) -> None:
    write_image(tmp_path / "image.tar", layer.renew(), "localhost/x")
    with tarfile.open(tmp_path / "image.tar") as tar:
        (manifest,) = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
        config = json.load(tar.extractfile(manifest["Config"]))  # type: ignore[arg-type]
        data = tar.extractfile(manifest["Layers"][0]).read()  # type: ignore[union-attr]
    assert manifest["RepoTags"] == ["localhost/x:latest"]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(data).hexdigest()}"]
    assert data == layer.path.read_bytes()
