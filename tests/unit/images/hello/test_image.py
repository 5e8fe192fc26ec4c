"""The image's documents describe each other, and are the same bytes everywhere."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from windlass.images.hello import build_hello
from windlass.spec.digest import digest_bytes


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_descriptors_match_the_bytes(arch: str) -> None:
    image = build_hello(arch)
    manifest, config = json.loads(image.manifest), json.loads(image.config)
    assert (manifest["config"]["digest"], manifest["config"]["size"]) == (
        digest_bytes(image.config),
        len(image.config),
    )
    assert [layer["digest"] for layer in manifest["layers"]] == [digest_bytes(layer) for layer in image.layers]
    assert config["rootfs"]["diff_ids"] == [digest_bytes(layer) for layer in image.layers]
    assert (config["architecture"], config["os"]) == (arch, "linux")


@pytest.mark.parametrize(
    ("arch", "digest"),
    [
        ("amd64", "sha256:fafbc7637d72bbc1e55ceeab52d3648373ffb7b4eb1663a1b1ffa39799414ed8"),
        ("arm64", "sha256:8bb11a229e76b2e89e490414bd07a6539126da147f66619d4a904f1e8642d41e"),
    ],
)
def test_manifest_digest_is_stable(arch: str, digest: str) -> None:
    assert digest_bytes(build_hello(arch).manifest) == digest


def test_layer_holds_one_executable_of_root() -> None:
    with tarfile.open(fileobj=io.BytesIO(build_hello("amd64").layers[0])) as archive:
        (entry,) = archive.getmembers()
    assert (entry.name, entry.mode, entry.uid, entry.gid) == ("hello", 0o755, 0, 0)


def test_refuses_an_architecture_it_has_no_code_for() -> None:
    with pytest.raises(ValueError, match="s390x"):
        build_hello("s390x")
